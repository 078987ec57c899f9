/* test_policy.c - service policies: the Policy Agent's language with its errors, times, choice of a rule, fractions; and what the
 * distributor makes of them among the stacks of distlab.h. */
#include "super/pagentcf.h"
#include "tests/unit/distcase.h"

static struct policy pol;
static struct pagentcf cf;

#define ACTION(name, addr) "PolicyAction " name "\n{\n OutboundInterface " addr "\n}\n"
#define RULE(name, action, text)                                                                                        \
    "PolicyRule " name " # comment\n{\n  PolicyActionReference " action "\nForLoadDistribution TRUE\n" text "}\n"

static void read_good(const char *text) {
    if (!pagentcf_read(text, &pol, &cf))
        fail_msg("line %u: %s was found and %s was expected", cf.error[0].line, cf.error[0].token, cf.error[0].expected);
    policy_number(&pol, NULL);
}

/* ---- the language ---- */

static void everything_is_read(void **state) {
    UNUSED(state);
    read_good("# head\n"
              "policyperfmonitorforsdr ENABLE\n{\n samplinginterval 30\nLossRatioAndWeightFr 20 25\nTimeoutRatioAndWeightFr 50 50\n"
              "LossMaxWeightFr 95\n TimeoutMaxWeightFr 90\n}\n" RULE("r1", "Gold",
              "PolicyRulePriority 7\nSourceAddressRange 10.1.0.0-10.1.0.255\nSourcePortRange 1024 65535\n"
              "DestinationAddressRange 201.2.10.11\nDestinationPortRange 80:81\nProtocolNumberRange TCP\n"
              "TimeOfDayRange 08:00-17:30:15\nDayOfWeekMask 0111110\nMonthOfYearMask 100000000001\n"
              "ConditionTimeRange 20000101000000:20011231235959\n")
              "PolicyAction Gold\n{\n\tPolicyScope DataTraffic\nOutboundInterface 10.9.9.1\nOutboundInterface 10.9.9.2 # two\n"
              "OutboundInterface 0.0.0.0\n}\n"
              "PolicyRule r2\n{\nPolicyActionReference Gold\nForLoadDistribution FALSE\nSourceAddressRange 10.2.7.9/16\n}\n");
    const struct policy_rule *r = &pol.rule[0];
    assert_int_equal(pol.rules, 2);
    assert_int_equal(pol.actions, 1);
    assert_true(pol.monitor.on);
    assert_int_equal(pol.monitor.interval_sec, 30);
    assert_int_equal(pol.monitor.loss_ratio * 1000 + pol.monitor.loss_fraction, 20025);
    assert_int_equal(pol.monitor.loss_max * 1000 + pol.monitor.timeout_max, 95090);
    assert_string_equal(r->name, "r1");
    assert_int_equal(r->priority, 7);
    assert_int_equal(r->source.low, 0x0A010000);
    assert_int_equal(r->source.high, 0x0A0100FF);
    assert_int_equal(r->destination.low, 0xC9020A0B);
    assert_int_equal(r->destination.high, 0xC9020A0B);
    assert_int_equal(r->source_port.low, 1024);
    assert_int_equal(r->destination_port.high, 81);
    assert_int_equal(r->hours.low, 8 * 3600);
    assert_int_equal(r->hours.high, 17 * 3600 + 30 * 60 + 15);
    assert_int_equal(r->weekdays, 0x3E);
    assert_int_equal(r->months, 0x801);
    assert_int_equal(r->first_day, 20000101);
    assert_int_equal(r->last_second, 86399);
    assert_true(r->distributes && !pol.rule[1].distributes);
    assert_int_equal(pol.rule[1].source.low, 0x0A020000);
    assert_int_equal(pol.rule[1].source.high, 0x0A02FFFF);
    assert_int_equal(pol.action[0].targets, 2);
    assert_true(pol.action[0].else_any);
    assert_int_equal(pol.rule[0].id, 1);
    assert_int_equal(pol.rule[1].id, 2);
}

/* One wrong line each: which line, which word, what was expected. */
static void errors_say_where(void **state) {
    static const struct {
        const char *text;
        u32 line;
        const char *token, *expected;
    } wrong[] = {
        {"\nLogLevel 31\n", 2, "LogLevel", "POLICYRULE, POLICYACTION"},
        {"TrafficThing x\n{\n a b\n}\n", 1, "TrafficThing", "POLICYRULE, POLICYACTION"},
        {"}\n", 1, "}", "POLICYRULE, POLICYACTION"},
        {"PolicyAction\n{\n}\n", 1, "PolicyAction", "A NAME OF 1 TO 32"},
        {"PolicyAction a23456789012345678901234567890123\n{\n}\n", 1, "a23456789012345678901234567890123", "A NAME OF 1 TO 32"},
        {"PolicyAction a\nOutboundInterface 1.2.3.4\n}\n", 2, "OutboundInterface", "{ ON A LINE"},
        {"PolicyAction a\n{\n{\n}\n", 3, "{", "ONE { A STATEMENT"},
        {"PolicyAction a\n{\nOutboundInterface 1.2.3.4.5\n}\n", 3, "1.2.3.4.5", "DYNAMIC XCF ADDRESSES"},
        {"PolicyAction a\n{\nOutboundInterface\n}\n", 3, "OutboundInterface", "DYNAMIC XCF ADDRESSES"},
        {"PolicyAction a\n{\nPolicyScope RSVP\n}\n", 3, "RSVP", "DATATRAFFIC OR BOTH"},
        {"PolicyAction a\n{\nMaxRate 10\n}\n", 3, "MaxRate", "POLICYSCOPE OR"},
        {"PolicyAction a\n{\n}\nPolicyAction a\n{\n}\n", 4, "a", "EACH ACTION ONCE"},
        {"PolicyAction a\n{\n", 1, "PolicyAction", "} BEFORE THE END"},
        {"PolicyPerfMonitorForSDR Perhaps\n{\n}\n", 1, "Perhaps", "ENABLE OR DISABLE"},
        {"PolicyPerfMonitorForSDR Enable\n{\nSamplingInterval 4\n}\n", 3, "4", "FROM 5 TO 3600"},
        {"PolicyPerfMonitorForSDR Enable\n{\nLossRatioAndWeightFr 20\n}\n", 3, "20", "0/00 FROM 0"},
        {"PolicyPerfMonitorForSDR Enable\n{\nLossMaxWeightFr 101\n}\n", 3, "101", "FROM 0 TO 100"},
        {ACTION("a", "1.2.3.4") RULE("r", "b", ""), 7, "b", "THE NAME OF A POLICYACTION"},
        {"PolicyAction a\n{\n}\n" RULE("r", "a", ""), 6, "a", "AN ACTION WITH OUTBOUNDINTERFACE"},
        {ACTION("a", "1.2.3.4") "PolicyRule r\n{\n}\n", 7, "r", "POLICYACTIONREFERENCE IN EACH"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "") RULE("r", "a", ""), 10, "r", "EACH RULE ONCE"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "PolicyActionReference a\n"), 9, "a", "ONE ACTION"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "PolicyRulePriority 0\n"), 9, "0", "2000000000"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "ForLoadDistribution MAYBE\n"), 9, "MAYBE", "TRUE OR FALSE"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "SourceAddressRange 10.2.0.0-10.1.0.0\n"), 9, "10.2.0.0-10.1.0.0", "ADDRESS/BITS"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "SourceAddressRange 10.2.0.0/33\n"), 9, "10.2.0.0/33", "ADDRESS/BITS"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "DestinationPortRange 9-3\n"), 9, "9-3", "PORT-PORT"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "DestinationPortRange 65536\n"), 9, "65536", "PORT-PORT"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "ProtocolNumberRange 17\n"), 9, "17", "6, TCP OR ALL"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "TimeOfDayRange 8-17\n"), 9, "8-17", "HH:MM-HH:MM"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "TimeOfDayRange 08:00-24:01\n"), 9, "08:00-24:01", "HH:MM-HH:MM"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "TimeOfDayRange 08:60-09:00\n"), 9, "08:60-09:00", "HH:MM-HH:MM"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "TimeOfDayRange 08:00\n"), 9, "08:00", "HH:MM-HH:MM"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "DayOfWeekMask 011111\n"), 9, "011111", "7 DIGITS"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "DayOfWeekMask 01111102\n"), 9, "01111102", "7 DIGITS"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "MonthOfYearMask 2\n"), 9, "2", "12 DIGITS"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "ConditionTimeRange 20001301000000:20011231235959\n"), 9,
         "20001301000000:20011231235959", "YYYYMMDD"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "ConditionTimeRange 20010101000000:20000101000000\n"), 9,
         "20010101000000:20000101000000", "YYYYMMDD"},
        {ACTION("a", "1.2.3.4") RULE("r", "a", "Frob 1\n"), 9, "Frob", "AN ATTRIBUTE OF POLICYRULE"},
    };
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        if (pagentcf_read(wrong[i].text, &pol, &cf)) fail_msg("row %u was taken", i);
        const struct pagentcf_error *e = &cf.error[0];
        if (cf.errors != 1 || e->line != wrong[i].line || strcmp(e->token, wrong[i].token) || !strstr(e->expected, wrong[i].expected))
            fail_msg("row %u: %u errors; line %u: %s was found and %s was expected", i, cf.errors, e->line, e->token, e->expected);
    }
}

/* All errors of a member are counted, however many; text that ends anywhere harms nothing. */
static void limits_and_cut_text(void **state) {
    char text[9000], *cut;
    u32 at = 0;
    UNUSED(state);
    for (u32 i = 0; i < 70; i++) at += str_fmt(text + at, sizeof text - at, "PolicyAction a%u\n{\nOutboundInterface 1.1.1.1\n}\n", i);
    assert_false(pagentcf_read(text, &pol, &cf));
    assert_int_equal(cf.errors, 70 - POLICY_ACTIONS_MAX);
    assert_string_equal(cf.error[0].expected, "AT MOST 32 ACTIONS");
    at = str_fmt(text, sizeof text, "%s", ACTION("a", "1.1.1.1"));
    for (u32 i = 0; i < 70; i++) at += str_fmt(text + at, sizeof text - at, "PolicyRule r%u\n{\nPolicyActionReference a\n}\n", i);
    assert_false(pagentcf_read(text, &pol, &cf));
    assert_int_equal(cf.errors, 70 - POLICY_RULES_MAX);
    for (u32 n = 0; n <= 400; n++) { /* on the heap, so that a byte too far is seen */
        cut = malloc(n + 1);
        memcpy(cut, text, n);
        cut[n] = 0;
        pagentcf_read(cut, &pol, &cf);
        free(cut);
    }
}

/* ---- rules ---- */

static void times_hold(void **state) {
    static const struct {
        const char *condition;
        struct policy_moment m;
        bool holds;
    } row[] = {
        {"", {20001023, 0, 1, 10}, true},
        {"TimeOfDayRange 08:00-17:00\n", {20001023, 8 * 3600 - 1, 1, 10}, false},
        {"TimeOfDayRange 08:00-17:00\n", {20001023, 8 * 3600, 1, 10}, true},
        {"TimeOfDayRange 08:00-17:00\n", {20001023, 17 * 3600 - 1, 1, 10}, true},
        {"TimeOfDayRange 08:00-17:00\n", {20001023, 17 * 3600, 1, 10}, false},
        {"TimeOfDayRange 22:00-06:00\n", {20001023, 23 * 3600, 1, 10}, true},
        {"TimeOfDayRange 22:00-06:00\n", {20001023, 5 * 3600, 1, 10}, true},
        {"TimeOfDayRange 22:00-06:00\n", {20001023, 6 * 3600, 1, 10}, false},
        {"TimeOfDayRange 20:00-24:00\n", {20001023, 86399, 1, 10}, true},
        {"DayOfWeekMask 1000000\n", {20001022, 0, 0, 10}, true},
        {"DayOfWeekMask 1000000\n", {20001023, 0, 1, 10}, false},
        {"MonthOfYearMask 000000000100\n", {20001023, 0, 1, 10}, true},
        {"MonthOfYearMask 000000000100\n", {20001123, 0, 1, 11}, false},
        {"ConditionTimeRange 20001023120000:20001024120000\n", {20001023, 43199, 1, 10}, false},
        {"ConditionTimeRange 20001023120000:20001024120000\n", {20001023, 43200, 1, 10}, true},
        {"ConditionTimeRange 20001023120000:20001024120000\n", {20001024, 43200, 2, 10}, true},
        {"ConditionTimeRange 20001023120000:20001024120000\n", {20001024, 43201, 2, 10}, false},
    };
    char text[300];
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(row); i++) {
        str_fmt(text, sizeof text, "%s%s%s}\n", ACTION("a", "1.1.1.1"),
                "PolicyRule r\n{\nPolicyActionReference a\nForLoadDistribution TRUE\n", row[i].condition);
        read_good(text);
        policy_tick(&pol, &row[i].m);
        if (pol.rule[0].now != row[i].holds) fail_msg("row %u: %s at %u", i, row[i].condition, row[i].m.second);
    }
}

static const char *chosen(u32 client, u16 cport, u32 dvipa, u16 port) {
    const struct policy_rule *r = policy_match(&pol, ipaddr_v4(client), cport, ipaddr_v4(dvipa), port);
    return r ? r->name : "none";
}

static void the_rule_of_highest_priority(void **state) {
    const struct policy_moment noon = {20001023, 43200, 1, 10};
    UNUSED(state);
    read_good(ACTION("a", "1.1.1.1") RULE("low", "a", "PolicyRulePriority 1\nDestinationPortRange 80\n")
              RULE("subnet", "a", "PolicyRulePriority 5\nSourceAddressRange 10.1.0.0/16\n")
              RULE("twin", "a", "PolicyRulePriority 5\nSourceAddressRange 10.1.0.0/16\n")
              RULE("night", "a", "PolicyRulePriority 9\nTimeOfDayRange 22:00-06:00\n")
              RULE("ports", "a", "PolicyRulePriority 6\nSourcePortRange 1-1023\nDestinationAddressRange 10.0.0.80\n")
              "PolicyRule other\n{\nPolicyActionReference a\nPolicyRulePriority 99\n}\n");
    policy_tick(&pol, &noon);
    assert_string_equal(chosen(0x0A020001, 5000, 0x0A000050, 80), "low");
    assert_string_equal(chosen(0x0A020001, 5000, 0x0A000050, 81), "none");
    assert_string_equal(chosen(0x0A010001, 5000, 0x0A000050, 81), "subnet");
    assert_string_equal(chosen(0x0A010001, 1023, 0x0A000050, 80), "ports");
    assert_string_equal(chosen(0x0A010001, 1023, 0x0A000051, 80), "subnet");
    const struct policy_moment late = {20001023, 23 * 3600, 1, 10};
    policy_tick(&pol, &late);
    assert_string_equal(chosen(0x0A010001, 1023, 0x0A000050, 80), "night");
}

/* A rule that stays keeps its number and its counts; a new one never gets an old one's. */
static void a_refresh_keeps_numbers(void **state) {
    static struct policy old;
    UNUSED(state);
    read_good(ACTION("a", "1.1.1.1") RULE("one", "a", "") RULE("two", "a", ""));
    pol.rule[1].mapped = 12;
    old = pol;
    assert_true(pagentcf_read(ACTION("a", "1.1.1.1") RULE("three", "a", "") RULE("two", "a", ""), &pol, &cf));
    policy_number(&pol, &old);
    assert_int_equal(pol.rule[0].id, 3);
    assert_int_equal(pol.rule[1].id, 2);
    assert_int_equal(pol.rule[1].mapped, 12);
    assert_null(policy_rule_at(&pol, 1));
    assert_string_equal(policy_rule_at(&pol, 3)->name, "three");
}

/* The example of z/OS's guide: 25 % for each 2 % of loss, at most 95; 50 % for each 5 % of time-outs. */
static void fractions(void **state) {
    static const struct {
        u32 segments, lost, timeouts, fraction;
    } row[] = {
        {0, 0, 0, 0},       {1000, 0, 0, 0},     {1000, 20, 0, 0},   {1000, 21, 0, 25},       {100000, 2001, 0, 25},
        {1000, 40, 0, 25},  {1000, 41, 0, 50},   {1000, 999, 0, 95}, {1000, 0, 50, 0},        {1000, 0, 51, 50},
        {1000, 0, 101, 100}, {1000, 21, 51, 75}, {1000, 80, 51, 100}, {4000000000u, 100000000u, 0, 25}, {10, 20, 0, 95},
        {0, 3, 0, 95},
    };
    struct policy_monitor m = {.on = true, .loss_ratio = 20, .loss_fraction = 25, .loss_max = 95,
                               .timeout_ratio = 50, .timeout_fraction = 50, .timeout_max = 100};
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(row); i++) {
        u32 is = policy_fraction(&m, row[i].segments, row[i].lost, row[i].timeouts);
        if (is != row[i].fraction) fail_msg("row %u: %u instead of %u", i, is, row[i].fraction);
    }
    m.loss_ratio = 0;
    assert_int_equal(policy_fraction(&m, 100, 90, 0), 0);
    m.on = false;
    assert_int_equal(policy_fraction(&m, 100, 90, 90), 0);
}

/* ---- the distributor ---- */

static struct dist_policy verdict;
static void say(void *ctx, const struct vcrt_key *k, struct dist_policy *out, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    assert_int_equal(k->dport, 80);
    *out = verdict;
}

static struct lab *with_policy(enum dist_method m) {
    struct lab *l = opened(3, m);
    distributor_set_policy(dist(0), say, NULL);
    return l;
}

static u32 slot_of(struct lab *l, u32 node) { return distributor_slot(l->node[0].d, ipaddr_v4(0x0A090901 + node)); }

static void only_the_actions_targets(void **state) {
    struct lab *l = with_policy(DIST_ROUNDROBIN);
    u32 denied = 0;
    UNUSED(state);
    verdict = (struct dist_policy){.allowed = 1u << slot_of(l, 1), .rule = 77, .denied = &denied};
    for (u32 i = 0; i < 6; i++) lab_connect(l);
    lab_run(l, 9000);
    assert_int_equal(l->node[1].served, 6);
    assert_int_equal(vcrt_walk(distributor_vcrt(l->node[0].d), NULL)->rule, 77);
    /* 0.0.0.0 in the list changes nothing while one of the listed can. */
    verdict.else_any = true;
    for (u32 i = 0; i < 6; i++) lab_connect(l);
    lab_run(l, 9000);
    assert_int_equal(l->node[1].served, 12);
    verdict.else_any = false;
    /* Its server ends: refused, or, with 0.0.0.0, anybody's. */
    sock_close(l->node[1].listener, l->t->now);
    lab_run(l, 2000);
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    assert_int_equal(c->error, ERR_CONNREFUSED);
    assert_int_equal(denied, 1);
    verdict.else_any = true;
    for (u32 i = 0; i < 4; i++) lab_connect(l);
    lab_run(l, 9000);
    assert_int_equal(l->node[0].served, 2);
    assert_int_equal(l->node[2].served, 2);
    assert_int_equal(denied, 1);
    /* Its whole stack dies: an action that lists it lists nobody. */
    lab_die(l, 1);
    assert_int_equal(slot_of(l, 1), VDPT_NOBODY);
    lab_close(l);
}

/* A target whose answers are lost: its time-outs are sampled there and take weight off at the routing stack. */
static void losses_take_weight_off(void **state) {
    const struct policy_monitor m = {.on = true, .loss_ratio = 20, .loss_fraction = 25, .loss_max = 50};
    struct lab *l = with_policy(DIST_BASEWLM);
    struct dist_sample s;
    UNUSED(state);
    verdict = (struct dist_policy){.allowed = 1u << slot_of(l, 1)};
    struct lab_client *c = lab_connect(l);
    lab_run(l, 5000);
    assert_true(c->connected);
    assert_true(distributor_sample(l->node[1].d, 0, true, &s));
    assert_int_equal(s.port, 80);
    assert_int_equal(s.retransmitted, 0);
    link_lan_down(l->node[1].osa, l->t->now);
    sock_send(c->s, "gone", 4, l->t->now);
    lab_run(l, 4 * USEC_PER_SEC);
    assert_true(distributor_sample(l->node[1].d, 0, false, &s));
    assert_true(s.timeouts >= 1 && s.retransmitted >= 1 && s.segments >= s.retransmitted);
    /* It stays counted though the connection ends. */
    u32 timeouts = s.timeouts;
    struct stack *stk = l->node[1].stk;
    struct tcp_key k = {LAB_DVIPA, testnet_ip(LAB_CLIENT), 80, vcrt_walk(distributor_vcrt(l->node[0].d), NULL)->key.cport};
    assert_int_equal(tcp_drop(stk, tcp_sock_of(tcp_find(stk, &k))->conn_id, l->t->now), 0);
    assert_true(distributor_sample(l->node[1].d, 0, true, &s));
    assert_int_equal(s.timeouts, timeouts);
    distributor_set_qos(l->node[1].d, s.dvipa, s.port, policy_fraction(&m, s.segments, s.retransmitted, s.timeouts));
    assert_true(distributor_sample(l->node[1].d, 0, true, &s));
    assert_int_equal(s.segments + s.timeouts, 0);
    assert_int_equal(s.qos_fraction, 50);
    lab_run(l, 11 * USEC_PER_SEC);
    const struct vdpt_port *p = vdpt_find(distributor_vdpt(l->node[0].d), LAB_DVIPA, 80);
    const struct vdpt_target *t = &p->t[slot_of(l, 1)];
    assert_int_equal(t->qos_fraction, 50);
    assert_int_equal(t->effective, (u32)t->wlm * 50 * vdpt_tsr(t) / 100);
    lab_close(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(limits_and_cut_text),
        cmocka_unit_test(times_hold),
        cmocka_unit_test(the_rule_of_highest_priority),
        cmocka_unit_test(a_refresh_keeps_numbers),
        cmocka_unit_test(fractions),
        cmocka_unit_test(only_the_actions_targets),
        cmocka_unit_test(losses_take_weight_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
