/* capture_card.c - see capture_card.h. */
#include "hercules-devices/capture_card.h"

#include "hercules-devices/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (1u << 20)
#define INTERFACES   (OSA_ATTACHMENTS + 1) /* the last one is the port */
#define NO_INTERFACE UINT32_MAX
#define SNAPLEN      262144

struct capture {
    char file[1024], filter[1024];
    int fd;
    bool fifo;
    u64 retry; /* FIFO without a reader: when to look again */
    struct bpf_program ether, raw;
    bool have_ether, have_raw;
    u32 interface[INTERFACES], interfaces;
    u64 packets, dropped;
    u32 used, from; /* of buffer: bytes in it, bytes of it that are written */
    u8 buffer[BUFFER_BYTES];
    u8 stage[OSA_FRAME_MAX];
};

/* ---- start and stop ---- */

static bool compile(int link, const char *filter, struct bpf_program *program, char *why, size_t cap) {
    pcap_t *p = pcap_open_dead(link, SNAPLEN);
    if (!p) return false;
    bool good = pcap_compile(p, program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!good) snprintf(why, cap, "filter '%s': %s", filter, pcap_geterr(p));
    pcap_close(p);
    return good;
}

static void append(struct capture *c, u32 bytes) { c->used += bytes; }

/* A new reader starts from an empty section. */
static void section(struct capture *c) {
    for (u32 i = 0; i < INTERFACES; i++) c->interface[i] = NO_INTERFACE;
    c->interfaces = c->used = c->from = 0;
    append(c, pcapng_section(c->buffer, BUFFER_BYTES, "plex390 osa-card"));
}

static bool open_file(struct capture *c) {
    int flags = c->fifo ? O_WRONLY | O_NONBLOCK | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    c->fd = open(c->file, flags, 0600);
    if (c->fd >= 0) section(c);
    return c->fd >= 0;
}

struct capture *capture_start(const char *file, const char *filter, char *why, size_t cap) {
    char unused[128];
    struct capture *c = calloc(1, sizeof *c);
    struct stat st;
    if (!c) {
        snprintf(why, cap, "no storage for a capture");
        return NULL;
    }
    c->fd = -1;
    snprintf(c->file, sizeof c->file, "%s", file);
    snprintf(c->filter, sizeof c->filter, "%s", filter);
    c->have_ether = compile(DLT_EN10MB, filter, &c->ether, why, cap);
    c->have_raw = c->have_ether && compile(DLT_RAW, filter, &c->raw, unused, sizeof unused);
    c->fifo = stat(file, &st) == 0 && S_ISFIFO(st.st_mode);
    if (c->have_ether && (open_file(c) || (c->fifo && errno == ENXIO))) return c;
    if (c->have_ether) snprintf(why, cap, "%s: %s", file, strerror(errno));
    capture_stop(c);
    return NULL;
}

void capture_stop(struct capture *c) {
    if (c->fd >= 0) capture_flush(c, 0);
    if (c->have_ether) pcap_freecode(&c->ether);
    if (c->have_raw) pcap_freecode(&c->raw);
    if (c->fd >= 0) close(c->fd);
    free(c);
}

/* ---- frames ---- */

static u64 wall_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

struct one {
    struct capture *c;
    const char *name;
    u32 slot;
    bool ether, to_card;
    u64 time_ns;
};

static u32 interface_number(struct capture *c, const struct one *o) {
    if (c->interface[o->slot] != NO_INTERFACE) return c->interface[o->slot];
    u16 link = o->ether ? PCAPNG_LINK_ETHERNET : PCAPNG_LINK_RAW;
    u32 bytes = pcapng_interface(c->buffer + c->used, BUFFER_BYTES - c->used, link, o->name);
    if (!bytes) return NO_INTERFACE;
    append(c, bytes);
    return c->interface[o->slot] = c->interfaces++;
}

static void one_frame(void *ctx, u8 *bytes, u32 len) {
    struct one *o = ctx;
    struct capture *c = o->c;
    struct pcap_pkthdr header = {.caplen = len, .len = len};
    const struct bpf_program *program = o->ether ? &c->ether : &c->raw;
    if (!o->ether && !c->have_raw) return;
    if (!pcap_offline_filter(program, &header, bytes)) return;
    u32 number = interface_number(c, o), room = BUFFER_BYTES - c->used, written = 0;
    if (number != NO_INTERFACE)
        written = pcapng_packet(c->buffer + c->used, room, number, o->time_ns,
                                o->to_card ? PCAPNG_INBOUND : PCAPNG_OUTBOUND, bytes, len);
    if (!written) {
        c->dropped++;
        return;
    }
    append(c, written);
    c->packets++;
}

void capture_frame(struct capture *c, u32 n, const char *name, bool ether, bool to_card, const struct osa_frame *f) {
    if (c->fd < 0) return;
    struct one o = {.c = c, .name = name, .ether = ether, .to_card = to_card, .time_ns = wall_ns()};
    o.slot = n < OSA_ATTACHMENTS ? n : OSA_ATTACHMENTS;
    /* A file never makes the card lose a frame: it is written when the buffer is half full. */
    if (!c->fifo && c->used > BUFFER_BYTES / 2) capture_flush(c, 0);
    osa_frame_finish(f, ether ? 0 : f->link_len, c->stage, sizeof c->stage, one_frame, &o);
}

void capture_forget(struct capture *c, u32 n) {
    if (n < OSA_ATTACHMENTS) c->interface[n] = NO_INTERFACE;
}

u64 capture_flush(struct capture *c, u64 now) {
    if (c->fd < 0) {
        if (now < c->retry) return c->retry;
        c->retry = now + CAPTURE_RETRY_USEC;
        if (!open_file(c)) return c->retry;
    }
    while (c->from < c->used) {
        ssize_t n = write(c->fd, c->buffer + c->from, c->used - c->from);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            /* Keeps what is unwritten at the front, so that whole blocks go on fitting behind it. */
            memmove(c->buffer, c->buffer + c->from, c->used - c->from);
            c->used -= c->from;
            c->from = 0;
            return now + USEC_PER_MSEC * 10;
        }
        if (n < 0) { /* the reader left; a full disk ends a file in the same way */
            close(c->fd);
            c->fd = -1;
            c->retry = c->fifo ? now + CAPTURE_RETRY_USEC : TIME_NEVER;
            return c->retry;
        }
        c->from += (u32)n;
    }
    c->used = c->from = 0;
    return TIME_NEVER;
}

struct capture_status capture_status(const struct capture *c) {
    return (struct capture_status){.file = c->file,
                                   .filter = c->filter,
                                   .waiting = c->fd < 0,
                                   .packets = c->packets,
                                   .dropped = c->dropped};
}
