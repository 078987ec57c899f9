/* netconf.c - OS/390's defaults of IPCONFIG, TCPCONFIG and UDPCONFIG. See netconf.h. */
#include "net/netconf.h"

#include "net/stack_impl.h"

void net_config_default(struct net_config *c) {
    *c = (struct net_config){
        .ip = {.arp_timeout_sec = 1200,
               .device_retry_sec = 90,
               .reassembly_timeout_sec = 60,
               .ttl = 64,
               .variable_subnetting = true},
        .tcp = {.keepalive_min = 120,
                .finwait2_sec = 600,
                .send_buffer_bytes = 16384,
                .recv_buffer_bytes = 16384,
                .max_recv_bytes = 262144,
                .max_backlog = 10,
                .connect_timeout_sec = 75,
                .retransmit_attempts = 15,
                .timewait_sec = 60,
                .keepalive_probes = 10,
                .keepalive_probe_sec = 75,
                .ephemeral_first = 1024,
                .ephemeral_last = 65535,
                .delay_acks = true,
                .timestamps = true},
        .udp = {.send_buffer_bytes = 65535,
                .recv_buffer_bytes = 65535,
                .ephemeral_first = 1024,
                .ephemeral_last = 65535,
                .checksum = true,
                .queue_limit = true},
    };
}

struct net_config *net_config(struct stack *stk) {
    return &stk->conf;
}

void net_config_changed(struct stack *stk) {
    route_changed(stk);
}
