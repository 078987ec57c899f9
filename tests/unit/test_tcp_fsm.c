/* test_tcp_fsm.c - every cell of the state table against RFC 9293's diagram, written down a second time as text. */
#include "net/tcp_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

/* "from event to"; every other cell must be impossible. */
static const char *const arrows[] = {
    "Closed,passive open,Listen",  "Closed,active open,SynSent",  "Closed,end,Closed",
    "Listen,passive open,Listen",  "Listen,SYN,Listen",           "Listen,close,Closed",
    "Listen,end,Closed",           "SynSent,SYN,SynRcvd",         "SynSent,SYN+ACK,Establsh",
    "SynSent,close,Closed",        "SynSent,end,Closed",          "SynRcvd,SYN,SynRcvd",
    "SynRcvd,SYN+ACK,Establsh",    "SynRcvd,ACK of SYN,Establsh", "SynRcvd,close,SynRcvd",
    "SynRcvd,end,Closed",          "Establsh,close,FinWt1",       "Establsh,FIN,CloseWt",
    "Establsh,end,Closed",         "FinWt1,close,FinWt1",         "FinWt1,FIN,Closing",
    "FinWt1,ACK of FIN,FinWt2",    "FinWt1,end,Closed",           "FinWt1,expire,Closed",
    "FinWt2,close,FinWt2",         "FinWt2,FIN,TimeWt",           "FinWt2,end,Closed",
    "FinWt2,expire,Closed",        "CloseWt,close,LastAck",       "CloseWt,end,Closed",
    "Closing,close,Closing",       "Closing,ACK of FIN,TimeWt",   "Closing,end,Closed",
    "LastAck,close,LastAck",       "LastAck,ACK of FIN,Closed",   "LastAck,end,Closed",
    "TimeWt,close,TimeWt",         "TimeWt,FIN,TimeWt",           "TimeWt,end,TimeWt",
    "TimeWt,expire,Closed",
};

static void every_cell(void **state) {
    u32 possible = 0;
    (void)state;
    for (u32 s = 0; s < TCP_STATES; s++) {
        for (u32 e = 0; e < TCP_EVENTS; e++) {
            enum tcp_fsm_state to = tcp_fsm((enum tcp_fsm_state)s, (enum tcp_event)e);
            char arrow[80], prefix[64];
            const char *wanted = NULL;
            snprintf(prefix, sizeof prefix, "%s,%s,", tcp_state_name((enum tcp_fsm_state)s),
                     tcp_event_name((enum tcp_event)e));
            for (u32 i = 0; i < ARRAY_LEN(arrows); i++)
                if (strncmp(arrows[i], prefix, strlen(prefix)) == 0) wanted = arrows[i];
            if (!wanted) {
                if (to != TCP_STATES) fail_msg("%s is possible", prefix);
                continue;
            }
            snprintf(arrow, sizeof arrow, "%s%s", prefix, tcp_state_name(to));
            assert_string_equal(arrow, wanted);
            possible++;
        }
    }
    assert_int_equal(possible, ARRAY_LEN(arrows));
}

static void sizes_are_as_promised(void **state) {
    (void)state;
    assert_true(sizeof(struct sock) <= 512);
    assert_true(sizeof(struct syn_row) <= 112);
    assert_true(sizeof(struct timewait_row) <= 96);
    printf("struct sock %zu, half-open row %zu, TIME_WAIT row %zu, marks %zu bytes\n", sizeof(struct sock),
           sizeof(struct syn_row), sizeof(struct timewait_row), sizeof(struct tcp_marks));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell), cmocka_unit_test(sizes_are_as_promised)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
