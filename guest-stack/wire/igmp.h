/* igmp.h - IGMP versions 1 and 2 (RFC 2236 2), 8 bytes:
 *    0 1 type | 1 1 longest response time, 0.1 s (0 in version 1) | 2 2 checksum | 4 4 group
 */
#ifndef WIRE_IGMP_H
#define WIRE_IGMP_H

#define IGMP_BYTES     8
#define IGMP_QUERY     0x11
#define IGMP_REPORT_V1 0x12
#define IGMP_REPORT_V2 0x16
#define IGMP_LEAVE     0x17

#define IGMP_ALL_HOSTS   ((struct ipaddr){0xE0000001u})
#define IGMP_ALL_ROUTERS ((struct ipaddr){0xE0000002u})

#endif
