/* lcs_engine.h - the channel side of an OSA in LCS mode (3088/60): two units, read and write. Layouts:
 * wire/osa.h. What calls it: engine.h. The other side: osa_wire.h (mode OSA_MODE_LCS, frames in form
 * OSA_FORM_ETHER).
 *
 *   struct engine *e = lcs_engine_init(<lcs_engine_bytes() bytes>, &host, &params);
 *
 * The engine sees one CCW after the other: 02 READ gives one block of frames (ENGINE_WAIT when there is
 * none), 01 WRITE takes one. Chaining, suspend, resume and PCI are the channel's.
 */
#ifndef HERCULES_DEVICES_LCS_ENGINE_H
#define HERCULES_DEVICES_LCS_ENGINE_H

#include "hercules-devices/engine.h"

struct lcs_params {
    char lpar[9]; /* of the LPAR, ASCII, up to 8 characters */
    u16 devnum;   /* of the read device; write follows */
    u8 port;      /* relative port number the card answers to, usually 0 */
};

size_t lcs_engine_bytes(void);
/* NULL and a line in host->log if a parameter is wrong. The storage is zeroed first. */
struct engine *lcs_engine_init(void *storage, const struct engine_host *host,
                               const struct lcs_params *params);

#endif
