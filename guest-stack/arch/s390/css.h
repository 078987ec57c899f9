/* css.h - the channel subsystem as arch/s390 keeps it; chan/chan.h is the interface for everybody else. */
#ifndef ARCH_CSS_H
#define ARCH_CSS_H

#include "chan/chan.h"

#define CHAN_OPEN_MAX 96 /* subchannels open at once: 24 devices of three and 24 consoles and disks */

/* The one channel subsystem. */
struct chan_system *css_init(void);
/* An I/O interruption was taken: its status is fetched by the next css_events(). */
void css_interrupted(u32 ssid, u32 parm);
u32 css_events(u64 now);
/* The most that one of the events since the last call leaves to do. */
enum chan_heard css_heard(void);

/* SSID of a device number, 0 if there is none. */
u32 css_find(u16 devnum);
/* Writes len bytes to a console by itself: clears the subchannel, polls, gives up after a while. Last words. */
void css_write_polled(u32 ssid, const u8 *ebcdic, u32 len);

#endif
