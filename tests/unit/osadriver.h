/* osadriver.h - the driver's half of the OSA dialogue for tests: frames as Linux's qeth and OS/390 send them,
 * byte by byte, and a whole device from IDX to active queues. Its queues: 1 input and up to 4 output queues
 * at fixed places in fakehost's storage.
 */
#ifndef TESTS_UNIT_OSADRIVER_H
#define TESTS_UNIT_OSADRIVER_H

#include "tests/unit/fakehost.h"
#include "wire/osa.h"

/* Places in storage. Input buffers: 4 KB each, first 64 buffers of the queue; output data: 64 KB. */
enum {
    AT_QDR = 0x4000,
    AT_QIB = 0x5000,
    AT_SLIB = 0x6000,  /* 2 KB a queue */
    AT_SL = 0x9000,    /* 1 KB a queue */
    AT_SLSB = 0xB000,  /* 256 bytes a queue */
    AT_SBAL = 0x10000, /* 32 KB a queue */
    AT_IN = 0x40000,   /* input data */
    AT_OUT = 0xA0000,  /* output data */
};

struct driver_test {
    struct fake f;
    void *engine_storage;
    u8 read[OSA_CTL_BYTES]; /* what the last READ on the read device got */
    u32 read_len;
    bool reading; /* a READ is outstanding */
    u32 token_idx, token_cm_filter, token_cm, token_ulp_filter, token_ulp; /* of the adapter */
    u32 th_seq, pdu_seq;
    u16 ipa_seq;
};

/* An engine without a card; mode 0: whatever the driver asks. */
void drv_init(struct driver_test *d, u8 mode, const char *port_name);
void drv_free(struct driver_test *d);
/* Connects a card with checksum offload and TSO, LAN up. */
void drv_card(struct driver_test *d);

/* Frames: fill out, return the length. */
u32 drv_idx(u8 *out, bool write_device, u8 port);
u32 drv_cm_enable(struct driver_test *d, u8 *out);
u32 drv_cm_setup(struct driver_test *d, u8 *out);
u32 drv_ulp_enable(struct driver_test *d, u8 *out, u8 proto, const char *port_name);
u32 drv_ulp_setup(struct driver_test *d, u8 *out);
u32 drv_dm_act(struct driver_test *d, u8 *out);
/* An IPA command with data after its 20 bytes of header. */
u32 drv_ipa_frame(struct driver_test *d, u8 *out, u8 command, u16 proto, const u8 *data, u32 len);

/* WRITE on the write device and then READ on the read device; true if a reply came at once. */
bool drv_exchange(struct driver_test *d, u8 *frame, u32 len);
/* Sends an IPA command and answers what it asked of the port with port_rc; returns the reply's return code.
 * -1: no reply. */
int drv_ipa(struct driver_test *d, u8 command, const u8 *data, u32 len, u32 port_rc);
/* The IPA PDU in d->read. */
u8 *drv_reply(struct driver_test *d);

/* The whole way; each asserts its replies. */
void drv_activate_idx(struct driver_test *d);
void drv_control(struct driver_test *d, u8 proto);
void drv_queues_layout(struct driver_test *d, u32 out_queues);
void drv_queues(struct driver_test *d, u32 out_queues);
void drv_up(struct driver_test *d, u8 proto); /* all of it, STARTLAN included */

u8 *drv_slsb(struct driver_test *d, u32 queue, u32 buffer); /* queue 0 = input, 1.. = output */
u8 *drv_sbale(struct driver_test *d, u32 queue, u32 buffer, u32 element);
void drv_element(struct driver_test *d, u32 queue, u32 buffer, u32 element, u64 addr, u32 len, u8 eflags);

#endif
