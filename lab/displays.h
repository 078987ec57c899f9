/* displays.h - answers of DISPLAY commands as JSON, for what shows a sysplex. Pure: text in, JSON out; a line that has not the
 * shape of a row is no row. The answers are those of the guest's super/display.c, xcf displays and netstat.c.
 *
 *   display                              becomes
 *   D XCF,PO,DEVICE=ALL                  [{device system status signals class}]           paths out over CTCs
 *   D XCF,S,ALL                          [{system status}]
 *   D TCPIP,,SYSPLEX,VIPADYN,MAX=*       [{address origin stacks [{stack system status rank distribution}]}]
 *   D TCPIP,,NETSTAT,VDPT,DETAIL,MAX=*   [{address port target ready connections weight tsr flags active quiesced}]
 *   D TCPIP,,NETSTAT,HOME                the dynamic XCF address as text, "" if there is none
 *
 * The caller gets a new reference.
 */
#ifndef LAB_DISPLAYS_H
#define LAB_DISPLAYS_H

#include <jansson.h>

json_t *displays_pathout(const char *text);
json_t *displays_systems(const char *text);
json_t *displays_vipadyn(const char *text);
json_t *displays_vdpt(const char *text);
json_t *displays_xcf_address(const char *text);

#endif
