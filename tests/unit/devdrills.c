/* devdrills.c - see devdrills.h. */
#include "tests/unit/devdrills.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above */
#include <cmocka.h>

#define FIRST_DEVICE 0x0E00

void drill_begin(struct drill *d, drill_device_fn *device, const char *name, u32 mtu_bytes) {
    d->lab = lab_create();
    d->card = lab_card(d->lab, "OSA1", mtu_bytes);
    d->host = lab_host(d->lab, "SYSA");
    d->dev = device(d->host, d->card, name, FIRST_DEVICE, "10.1.1.1");
}

void drill_stop_anywhere(struct drill *d, u32 moments) {
    for (u32 turns = 0; turns < moments; turns++) {
        device_start(d->dev, d->lab->now);
        for (u32 i = 0; i < turns; i++) {
            simchan_run(d->host->sys, d->lab->now);
            simcard_run(d->card, d->lab->now);
            stack_poll(d->host->stk, d->lab->now);
            d->lab->now += 1000;
        }
        lab_stop(d->dev);
        assert_int_equal(simchan_open_count(d->host->sys), 0);
    }
    lab_start(d->dev);
}

static bool failed(void *ctx) { return ((struct drill *)ctx)->dev->status == DEVST_NOT_ACTIVE; }

/* One START with one fault. */
static void start_with(struct drill *d, const struct sim_fault *f, u64 patience_usec, u32 *hits, u32 *failures) {
    u64 before = simchan_counters(d->host->sys)->faults_hit;
    simchan_fault(d->host->sys, f);
    device_start(d->dev, d->lab->now);
    lab_until(d->lab, patience_usec, failed, d);
    *failures += d->dev->status == DEVST_NOT_ACTIVE;
    *hits += simchan_counters(d->host->sys)->faults_hit != before;
    simchan_faults_clear(d->host->sys);
    if (d->dev->status != DEVST_NOT_ACTIVE) lab_stop(d->dev);
    assert_int_equal(simchan_open_count(d->host->sys), 0);
}

void drill_faults(struct drill *d, u16 units, u32 ccws, u64 patience_usec, u32 hits_min, u32 failures_min) {
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_UNIT_CHECK, SIM_FAULT_PROGRAM_CHECK, SIM_FAULT_NOT_OPERATIONAL,
                                                SIM_FAULT_LOST,       SIM_FAULT_HALTED,        SIM_FAULT_DELAY};
    u32 failures = 0, hits = 0;
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++)
        for (u16 unit = 0; unit < units; unit++)
            for (u32 skip = 0; skip < ccws; skip++) {
                const struct sim_fault f = {.kind = kinds[k],
                                            .devnum = (u16)(FIRST_DEVICE + unit),
                                            .detail = 0x40,
                                            .skip = skip,
                                            .times = 1,
                                            .delay_us = 3000000};
                start_with(d, &f, patience_usec, &hits, &failures);
            }
    assert_true(hits > hits_min);
    assert_true(failures > failures_min);
    lab_start(d->dev);
}

static void without_lan(struct drill *d) {
    device_start(d->dev, d->lab->now);
    lab_run(d->lab, 2000000);
    assert_int_equal(d->dev->status, DEVST_READY);
    assert_false(d->dev->lnk->up);
}

void drill_start_without_lan(struct drill *d) {
    simcard_cable(d->card, false, d->lab->now);
    without_lan(d);
    simcard_cable(d->card, true, d->lab->now);
    lab_run(d->lab, 2000000);
    assert_true(d->dev->lnk->up);
    lab_stop(d->dev);
    simcard_kill(d->card);
    lab_run(d->lab, 100000);
    without_lan(d);
    simcard_start(d->card);
    lab_run(d->lab, 2000000);
    assert_true(d->dev->lnk->up);
    assert_memory_equal(d->dev->lnk->mac, simcard_osa(d->card)->params.mac, 6);
}

void drill_cable(struct drill *d, u32 times) {
    lab_start(d->dev);
    for (u32 i = 0; i < times; i++) {
        simcard_cable(d->card, false, d->lab->now);
        lab_run(d->lab, 500000);
        assert_false(d->dev->lnk->up);
        assert_int_equal(d->dev->status, DEVST_READY);
        simcard_cable(d->card, true, d->lab->now);
        lab_run(d->lab, 500000);
        assert_true(d->dev->lnk->up);
    }
}

void drill_kills(struct drill *d, struct device *const *devices, u32 n, u32 times) {
    for (u32 i = 0; i < times; i++) {
        simcard_kill(d->card);
        if (i % 3) lab_run(d->lab, (u64)i * 997 % 30000);
        simcard_start(d->card);
        lab_run(d->lab, i % 5 ? 2000000 : 100 * i);
        for (u32 k = 0; k < n && i % 5; k++) assert_true(devices[k]->lnk->up);
    }
}

void drill_cycles(struct drill *d, u32 times, void (*check)(struct drill *d, bool started)) {
    for (u32 i = 0; i < times; i++) {
        lab_start(d->dev);
        if (check) check(d, true);
        lab_stop(d->dev);
        assert_int_equal(simchan_open_count(d->host->sys), 0);
        if (check) check(d, false);
    }
}
