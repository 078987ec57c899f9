/* netconf.h - what IPCONFIG, TCPCONFIG, UDPCONFIG and the SOMAXCONN and KEEPALIVE statements set.
 *
 * The values belong to the stack and may change at any time (VARY TCPIP,,OBEYFILE): whoever uses one reads it
 * when needed. A writer that changes what routes depend on (multipath, forwarding, source VIPA, path MTU
 * discovery) ends with net_config_changed(). Defaults are those of OS/390, given beside each member.
 */
#ifndef NET_NETCONF_H
#define NET_NETCONF_H

#include "base/base.h"
#include "wire/ipaddr.h"

struct stack;

enum multipath { MULTIPATH_OFF, MULTIPATH_PER_CONNECTION, MULTIPATH_PER_PACKET };

struct ip_config {
    u32 arp_timeout_sec;                         /* ARPTO 1200 (60..86400) */
    u32 device_retry_sec;                        /* DEVRETRYDURATION 90; 0 = for ever */
    u32 reassembly_timeout_sec;                  /* REASSEMBLYTIMEOUT 60 (1..240) */
    u8 ttl;                                      /* TTL 64 (1..255) */
    bool forwarding;                             /* NODATAGRAMFWD */
    bool forward_per_packet;                     /* NOFWDMULTIPATH; true = FWDMULTIPATH PERPACKET */
    bool ignore_redirect;                        /* off: redirects are followed */
    bool path_mtu_discovery;                     /* NOPATHMTUDISCOVERY */
    bool source_vipa;                            /* NOSOURCEVIPA */
    bool sysplex_routing;                        /* NOSYSPLEXROUTING */
    bool variable_subnetting;                    /* on */
    enum multipath multipath;                    /* NOMULTIPATH */
    bool tcp_stack_source_vipa;                  /* off */
    struct ipaddr tcp_stack_source;              /* valid with the former */
    struct ipaddr dynamic_xcf, dynamic_xcf_mask; /* any = NODYNAMICXCF */
    u8 dynamic_xcf_metric;
};

struct tcp_config {
    u32 keepalive_min;                   /* INTERVAL 120; 0 = off */
    u32 finwait2_sec;                    /* FINWAIT2TIME 600 */
    u32 send_buffer_bytes;               /* TCPSENDBFRSIZE 16384 (256..262144) */
    u32 recv_buffer_bytes;               /* TCPRCVBUFRSIZE 16384 (256..max_recv) */
    u32 max_recv_bytes;                  /* TCPMAXRCVBUFRSIZE 262144 */
    u32 max_backlog;                     /* SOMAXCONN 10 */
    u32 connect_timeout_sec;             /* CONNECTTIMEOUT 75 */
    u32 retransmit_attempts;             /* RETRANSMITATTEMPTS 15 */
    u32 timewait_sec;                    /* TIMEWAITINTERVAL 60 */
    u32 keepalive_probes;                /* KEEPALIVEPROBES 10 */
    u32 keepalive_probe_sec;             /* KAPROBEINTERVAL 75 */
    u16 ephemeral_first, ephemeral_last; /* EPHEMERALPORTS 1024 65535 */
    bool delay_acks;                     /* DELAYACKS */
    bool restrict_low_ports;             /* UNRESTRICTLOWPORTS */
    bool send_garbage;                   /* SENDGARBAGE FALSE */
    bool timestamps;                     /* TCPTIMESTAMP */
};

struct udp_config {
    u32 send_buffer_bytes;               /* UDPSENDBFRSIZE 65535 */
    u32 recv_buffer_bytes;               /* UDPRCVBUFRSIZE 65535 */
    u16 ephemeral_first, ephemeral_last; /* EPHEMERALPORTS 1024 65535 */
    bool checksum;                       /* UDPCHKSUM */
    bool queue_limit;                    /* UDPQUEUELIMIT: at most UDP_QUEUE_MAX datagrams wait at a socket */
    bool restrict_low_ports;             /* UNRESTRICTLOWPORTS */
};

#define UDP_QUEUE_MAX 2000

struct net_config {
    struct ip_config ip;
    struct tcp_config tcp;
    struct udp_config udp;
};

void net_config_default(struct net_config *c);
struct net_config *net_config(struct stack *stk);
/* Forgets cached routes; call after changing anything that ip_route() or ip_source() reads. */
void net_config_changed(struct stack *stk);

#endif
