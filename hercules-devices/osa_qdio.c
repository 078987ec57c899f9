/* osa_qdio.c - the data device: ESTABLISH QUEUES, ACTIVATE QUEUES, SIGA, states of buffers.
 *
 * ESTABLISH checks the QDR (format, counts, descriptor size) and every address it names: QIB, and for each
 * queue SLIB, SL and SLSB, must exist and be aligned as QDIO wants. Anything wrong is unit check, command
 * reject, one line naming it; the device stays as it was. What a program changes afterwards is checked again
 * where it is used: the queue addresses are kept, an SBAL address is fetched from the SL each time its buffer
 * is looked at, and each SBAL is copied before it is believed.
 *
 * ACTIVATE stays outstanding until the subchannel is halted or cleared.
 *
 * The SLSB is shared with a program that runs at the same time: states are read with acquire and written with
 * release order, so a buffer's content is seen before its state. Condition codes of SIGA: 0 done, 1 queues
 * not active.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define SENSE_COMMAND_REJECT 0x80
#define QDIO_FORMAT_OSD      0
#define QDIO_FORMAT_IQD      2

u8 *osa_storage(const struct osa_engine *e, u64 addr, u32 len, bool will_write) {
    return e->base.host->storage(e->base.host->ctx, addr, len, will_write);
}

u8 osa_slsb_get(const struct osa_engine *e, const struct osa_queue *q, u32 buffer) {
    const u8 *state = osa_storage(e, q->slsb + buffer, 1, false);
    return state ? __atomic_load_n(state, __ATOMIC_ACQUIRE) : 0;
}

void osa_slsb_set(const struct osa_engine *e, const struct osa_queue *q, u32 buffer, u8 state) {
    u8 *at = osa_storage(e, q->slsb + buffer, 1, true);
    if (at) __atomic_store_n(at, state, __ATOMIC_RELEASE);
}

bool osa_sbal_fetch(const struct osa_engine *e, const struct osa_queue *q, u64 *addr, u8 *copy) {
    const u8 *entry = osa_storage(e, q->sl + q->next * 8, 8, false);
    if (!entry) return false;
    *addr = be64_get(entry);
    const u8 *sbal = *addr & (SBAL_BYTES - 1) ? NULL : osa_storage(e, *addr, SBAL_BYTES, true);
    if (!sbal) return false;
    memcpy(copy, sbal, SBAL_BYTES);
    return true;
}

/* One queue descriptor of the QDR; NULL or what is wrong with it. */
static const char *take_queue(const struct osa_engine *e, const u8 *desc, struct osa_queue *q) {
    u64 slib = be64_get(desc + QDESC_SLIB_AT);
    *q = (struct osa_queue){.sl = be64_get(desc + QDESC_SL_AT), .slsb = be64_get(desc + QDESC_SLSB_AT)};
    if (slib & (SLIB_BYTES - 1) || !osa_storage(e, slib, SLIB_BYTES, true)) return "SLIB address";
    if (q->sl & (SL_BYTES - 1) || !osa_storage(e, q->sl, SL_BYTES, false)) return "SL address";
    if (q->slsb & (2 * SLSB_BYTES - 1) || !osa_storage(e, q->slsb, SLSB_BYTES, true)) return "SLSB address";
    return NULL;
}

static const char *take_qdr(struct osa_engine *e, const u8 *qdr, u32 len) {
    if (len < QDR_DESC_AT) return "length";
    u32 in = qdr[QDR_IN_COUNT_AT], out = qdr[QDR_OUT_COUNT_AT];
    if (qdr[QDR_FORMAT_AT] != QDIO_FORMAT_OSD && qdr[QDR_FORMAT_AT] != QDIO_FORMAT_IQD) return "queue format";
    if (in == 0 || in > QDIO_IN_QUEUES_MAX) return "number of input queues";
    if (out == 0 || out > QDIO_OUT_QUEUES_MAX) return "number of output queues";
    if (qdr[QDR_IN_WORDS_AT] != QDR_DESC_WORDS || qdr[QDR_OUT_WORDS_AT] != QDR_DESC_WORDS)
        return "descriptor size";
    if (len < QDR_DESC_AT + (in + out) * QDR_DESC_BYTES) return "length";
    u64 qib_addr = be64_get(qdr + QDR_QIB_AT);
    u8 *qib = qib_addr & (QIB_BYTES - 1) ? NULL : osa_storage(e, qib_addr, QIB_BYTES, true);
    if (!qib) return "QIB address";
    struct osa_queue queue[QDIO_IN_QUEUES_MAX + QDIO_OUT_QUEUES_MAX];
    for (u32 i = 0; i < in + out; i++) {
        const char *wrong = take_queue(e, qdr + QDR_DESC_AT + i * QDR_DESC_BYTES, &queue[i]);
        if (wrong) return wrong;
    }
    e->in_queues = in;
    e->out_queues = out;
    e->in = queue[0];
    for (u32 i = 0; i < out; i++) e->out[i] = queue[in + i];
    qib[QIB_AC_AT] |= QIB_AC_OUT_PCI;
    return NULL;
}

enum engine_rc osa_establish(struct osa_engine *e, struct engine_ccw *c, const u8 *qdr, u32 len) {
    osa_trace(e, OSA_UNIT_DATA, "establish", qdr, u32_min(len, 256));
    const char *wrong = e->data == OSA_DATA_ACTIVE ? "queues are active" : take_qdr(e, qdr, len);
    if (wrong) {
        osa_log(e, ENGINE_WARNING, "ESTABLISH QUEUES refused: %s", wrong);
        e->count.ccw_rejected++;
        return osa_unit_check(e, OSA_UNIT_DATA, c, SENSE_COMMAND_REJECT);
    }
    memset(&e->fill, 0, sizeof e->fill);
    e->data = OSA_DATA_ESTABLISHED;
    return osa_done(c, c->count);
}

enum engine_rc osa_activate(struct osa_engine *e, struct engine_ccw *c) {
    if (e->data != OSA_DATA_ESTABLISHED) {
        osa_log(e, ENGINE_WARNING, "ACTIVATE QUEUES refused: no queues are established");
        e->count.ccw_rejected++;
        return osa_unit_check(e, OSA_UNIT_DATA, c, SENSE_COMMAND_REJECT);
    }
    e->data = OSA_DATA_ACTIVE;
    e->unit[OSA_UNIT_DATA].waiting = c;
    return ENGINE_WAIT;
}

void osa_queues_down(struct osa_engine *e) {
    e->data = OSA_DATA_DOWN;
    e->in_queues = e->out_queues = 0;
    e->in_primed = e->pci_due = false;
    e->out_stall_mask = 0;
    memset(&e->fill, 0, sizeof e->fill);
}

void osa_raise_pci(struct osa_engine *e) {
    e->pci_due = false;
    e->count.interrupts++;
    e->base.host->pci(e->base.host->ctx, OSA_UNIT_DATA);
}

static bool active(const struct osa_engine *e, u32 unit) {
    return unit == OSA_UNIT_DATA && e->data == OSA_DATA_ACTIVE;
}

int osa_siga_write(struct engine *base, u32 unit, u32 qmask) {
    struct osa_engine *e = osa_of(base);
    if (!active(e, unit)) return 1;
    osa_out_run(e, qmask >> (32 - QDIO_OUT_QUEUES_MAX) | e->out_stall_mask);
    if (qmask << QDIO_OUT_QUEUES_MAX) e->count.out_bad_queue++;
    if (e->pci_due) osa_raise_pci(e);
    osa_flush(e);
    return 0;
}

/* Empty input buffers are there: the adapter offers again what was left in the ring. */
int osa_siga_read(struct engine *base, u32 unit, u32 qmask) {
    struct osa_engine *e = osa_of(base);
    UNUSED(qmask);
    if (!active(e, unit)) return 1;
    osa_out_resume(e);
    osa_flush(e);
    return 0;
}

int osa_siga_sync(struct engine *base, u32 unit, u32 out_mask, u32 in_mask) {
    UNUSED(out_mask);
    return osa_siga_read(base, unit, in_mask);
}
