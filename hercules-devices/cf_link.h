/* cf_link.h - the device by which a guest reaches a coupling facility: type 9674, one unit. What a driver does with it:
 * docs/DEVICES.md. What calls it: engine.h. The other side: cf_engine.h; the messages between them are the commands and responses
 * of wire/cfcmd.h as they are.
 *
 *   CCW              link up                                      link down, isolated
 *   01 WRITE         one command goes to the facility             unit check: intervention required
 *   02 READ          waits for one response; unit exception       the same
 *                    if no command is without one
 *   03 04 E4         as with all devices
 *
 *   what happens                          the guest sees
 *   the facility has notices              attention; it drains (CF_DRAIN) until it is told that there is no more
 *   the link comes or goes, isolation     attention; what waits, else the next command, ends with equipment check, once a loss, and
 *                                         with intervention required while there is no link
 *   reset of the system                   the facility is told RESET; responses until its answer are thrown away
 */
#ifndef HERCULES_DEVICES_CF_LINK_H
#define HERCULES_DEVICES_CF_LINK_H

#include "hercules-devices/engine.h"
#include "wire/cfcmd.h"

#define CF_LINK_TYPE 0x9674
#define CF_LINK_SENSE_REJECT 0x80
#define CF_LINK_SENSE_INTERVENTION 0x40 /* no facility */
#define CF_LINK_SENSE_EQUIPMENT 0x10    /* it went while the command was outstanding */
#define CF_LINK_SENSE_ISOLATED 0x80     /* in byte 1, beside intervention required */

struct cf_link_params {
    char lpar[9]; /* ASCII, up to 8 characters */
    u16 devnum;
};

size_t cf_link_bytes(void);
/* NULL and a line in host->log if a parameter is wrong. The storage is zeroed first. */
struct engine *cf_link_init(void *storage, const struct engine_host *host, const struct cf_link_params *params);

#endif
