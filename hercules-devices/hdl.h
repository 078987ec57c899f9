/* hdl.h - one module source for two emulators, Debian's Hercules 3.13 and SDL-Hyperion 4.x (-DHDL_HYPERION).
 *
 * Everything in which they differ is here and in hdl.c; no other file of ours asks which emulator it is in.
 *
 *   what                        3.13                                    Hyperion 4
 *   counts of a CCW             U16                                     U32
 *   halt                        dev->halt_device                        DEVHND.halt, also at clear and at reset
 *   clear                       no call: the waiting CCW polls          DEVHND.halt
 *   reset                       no call: busy vanishes under the CCW    DEVHND.halt with HOC_RESET
 *   end of a halted CCW         command retry, so that the channel      no status: the channel completes it at
 *                               itself completes the halt               once, then its thread does, the same way
 *   start of a program          dev->syncio: on the CPU's thread, a CCW     always on a device thread
 *                               that might wait asks for a device thread
 *   interrupt of a PCI          dev->lock, then intlock                 intlock, then dev->lock
 *   SSQD, channel paths         our CHSC hook                           DEVHND.ssqd, dev->chptype
 *   thin interrupts             not announced by the emulator           DEVHND.ssci, indicator bytes in storage
 *
 * A device type describes itself in a struct hdl_type; hdl_dev_init, hdl_dev_exec and so on serve all types. Units of a
 * group are consecutive device statements of one type, the arguments stand on the first:
 *
 *   0E00.3 PLXOSA card=/run/plex/osa1.sock lpar=SYSA            or   0E00 PLXOSA card=... / 0E01 PLXOSA / 0E02 PLXOSA
 *
 * Messages (to the emulator's log):
 *   PLX800I  text                   what an engine has to say; PLX800W, PLX800E by its severity
 *   PLX801E  dddd type: reason      the device statement is wrong; the device is refused (PLX801W: is odd)
 *   PLX802I  dddd connected to name (incarnation n)         PLX803W  dddd connection to name lost
 *   PLX804W  dddd text              what the connection has to say
 *   PLX805E  dddd name has been isolated: its connection to name is over    this emulator's own incarnation is in the page of peer_fence.h
 *   PLX806E  file:line: not true: condition                 our own error; the emulator ends
 * A module that does not fit the emulator (structure sizes, version) is refused by the emulator in its own words.
 */
#ifndef HERCULES_DEVICES_HDL_H
#define HERCULES_DEVICES_HDL_H

#include "hstdinc.h"

#include "hercules.h"

#include "devtype.h"

#include "hercules-devices/host_group.h"
#include "hercules-devices/host_options.h"
#include "hercules-devices/peer.h"
#include "hercules-devices/peer_fence.h"
#include "hercules-devices/tap.h"

#ifdef HDL_HYPERION
typedef U32 hdl_count;
#else
typedef U16 hdl_count;
#endif

#define HDL_TEXT_MAX 256

struct hdl_group;

/* One kind of device. */
struct hdl_type {
    const char *name; /* of the device type, as in a device statement: PLXOSA */
    char *class;      /* in the emulator's device list; NULL: "OSA" */
    u16 devtype;      /* shown by the emulator: 0x1731 */
    u32 units;
    u8 chpid_type;       /* as CHSC reports it, 0 = not reported */
    enum peer_kind peer; /* what the engine's other side is */
    void (*queues)(u8 *in, u8 *out); /* QDIO: largest numbers of queues; NULL = no QDIO device */
    u8 activate;                     /* QDIO: the CCW during which SIGA is accepted */
    /* Fills g from the options, calls group_init, allocates and initialises an engine; NULL and a line in error. */
    struct engine *(*create)(struct hdl_group *g, const struct host_port *port, int argc, char *const argv[],
                             char *error, size_t cap);
    void (*destroy)(struct engine *e);
};

/* A device group: the engine's host, its emulator devices, its connection. */
struct hdl_group {
    struct host_group host;
    struct engine *engine;
    const struct hdl_type *type;
    DEVBLK *dev[ENGINE_UNITS_MAX];
    u32 members; /* devices attached so far; the engine starts when all are there */
    u32 open;    /* devices not yet closed */
    bool started;
    struct peer *peer;          /* the connection, NULL if the other side has none to us */
    struct peer_server *server; /* of a group that serves */
    bool serves;                /* listens at the address instead of connecting to it */
    struct peer_identity self;
    struct peer_fence *fence; /* which incarnations are isolated, this emulator's own among them; NULL = nobody ever is */
    u64 fence_seen;           /* peer_fence_still_valid()'s */
    u64 fenced;               /* messages that were not sent because this emulator has been isolated */
    bool told_fenced;         /* PLX805E was said */
    struct tap *tap;          /* where its messages are written down, NULL = nowhere */
    u32 tap_interface;
    const u8 *sending; /* what the engine has reserved of the ring */
    u64 summary_indicator, device_indicator; /* absolute addresses of thin-interrupt bytes, 0 = PCI only */
    char address[256]; /* of the peer */
    char lpar[PEER_NAME_MAX + 1];
    struct hdl_group *next; /* all groups of this process */
};

u16 hdl_devnum(const struct hdl_group *g); /* of unit 0 */
/* The group of a device, NULL if it is being detached; which of its units the device is. */
struct hdl_group *hdl_group_of(const DEVBLK *dev);
u32 hdl_unit_of(const struct hdl_group *g, const DEVBLK *dev);
/* Guest absolute storage, NULL if any of it does not exist. */
u8 *hdl_storage(const struct hdl_group *g, u64 addr, u32 len);
/* struct host_port's upcoming, from the program in the guest's storage (channel_hdl.c). */
u32 hdl_upcoming(void *ctx, u32 unit, struct engine_next *out, u32 max);
/* Asks each group that is complete until one says true. */
bool hdl_find(bool (*is_it)(const struct hdl_group *g, void *arg), void *arg);

/* From create(): opens the plex's page of isolated incarnations, "" = there is none. false and a line in error. */
bool hdl_fence(struct hdl_group *g, const char *path, char *error, size_t cap);

/* From create(): the connection's messages go to a capture file, "" = they do not. The interface's name there begins with the LPAR's
 * and the device number. false and a line in error. */
bool hdl_capture(struct hdl_group *g, const char *path, u16 link_type, const char *lpar, const char *partner, char *error, size_t cap);

/* The entries of a DEVHND. */
int hdl_dev_init(DEVBLK *dev, const struct hdl_type *type, int argc, char *argv[]);
int hdl_dev_close(DEVBLK *dev);
void hdl_dev_query(DEVBLK *dev, char **class, int buflen, char *buffer);
void hdl_dev_exec(DEVBLK *dev, BYTE code, BYTE flags, BYTE chained, hdl_count count, BYTE prevcode, int ccwseq,
              BYTE *iobuf, BYTE *more, BYTE *unitstat, hdl_count *residual);
void hdl_dev_halt(DEVBLK *dev);
int hdl_dev_siga_read(DEVBLK *dev, U32 qmask);
int hdl_dev_siga_write(DEVBLK *dev, U32 qmask);
#ifdef HDL_HYPERION
int hdl_dev_siga_sync(DEVBLK *dev, U32 out_mask, U32 in_mask);
int hdl_dev_ssqd(DEVBLK *dev, void *row);
int hdl_dev_ssci(DEVBLK *dev, void *request);
#endif
/* The CHSC requests that the emulator does not know; NULL: it is none of ours. */
void *hdl_chsc(void *response, void *request, REGS *regs);

/* channel_hdl.c: repairs of what an emulator's channel leaves behind; dev->lock is held for all but the first. */
void hdl_sweep_later(DEVBLK *dev); /* a reset ended the program */
#ifdef HDL_HYPERION
void hdl_forget_resumption(DEVBLK *dev);       /* a suspended program was halted */
void hdl_await_thread(DEVBLK *dev, bool halt); /* a running program was halted or cleared */
#else
void hdl_halt_unbegun(DEVBLK *dev); /* a program was halted that may not have begun */
#endif

/* Device types that files of their own bring; osa_hdl.c registers them with its own. */
extern DEVHND cfl_handlers, ctc_handlers;

#ifdef HDL_HYPERION
#define HDL_HANDLERS_OF_EMULATOR                                                                                 \
    .halt = hdl_dev_halt, .siga_s = hdl_dev_siga_sync, .siga_m = hdl_dev_siga_write, .ssqd = hdl_dev_ssqd, .ssci = hdl_dev_ssci,
#else
#define HDL_HANDLERS_OF_EMULATOR
#endif
#define HDL_HANDLERS                                                                                             \
    .exec = hdl_dev_exec, .close = hdl_dev_close, .query = hdl_dev_query, .siga_r = hdl_dev_siga_read, .siga_w = hdl_dev_siga_write, \
    HDL_HANDLERS_OF_EMULATOR

#endif
