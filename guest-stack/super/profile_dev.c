/* profile_dev.c - DEVICE, LINK, DELETE, START and STOP.
 *
 *   DEVICE name MPCIPA [NONROUTER|PRIROUTER|SECROUTER] [AUTORESTART|NOAUTORESTART]
 *          name LCS devno [NETMAN] [AUTORESTART|NOAUTORESTART]
 *          name CTC devno [IOBUFFERSIZE 32K|65535] [AUTORESTART|NOAUTORESTART]
 *          name VIRTUAL devno
 *   LINK   name IPAQENET device [IPBCAST] [MONSYSPLEX]   name {ETHERNET|ETHEROR802.3} adapter device [IPBCAST] [MONSYSPLEX]
 *          name CTC {0|1} device                     name VIRTUAL adapter device
 *   DELETE {DEVICE name | LINK name | PORT n proto [job] | PORTRANGE first count proto [job]}
 *   START device      STOP device
 *
 * An MPCIPA device has no device number of its own: its name is the PORTNAME of a VTAM TRLE (super/trl.h),
 * and the TRLE says which devices to use.
 */
#include "base/str.h"
#include "net/link.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/profile.h"
#include "super/profile_port.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "super/trl.h"

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

/* Says why something was refused and where it stands in the file. */
static bool refused(struct profile *p, const char *what, const char *name, const char *why) {
    p->errors++;
    console_message(con(p), PLX0210E, what, name, why);
    return profile_where(p);
}

static const char *why_not(int rc) {
    switch (-rc) {
    case ERR_EXIST: return "THE NAME IS IN USE";
    case ERR_NOMEM: return "THE STACK'S TABLE IS FULL";
    case ERR_NOENT: return "IT IS NOT DEFINED";
    case ERR_BUSY: return "IT IS STILL IN USE";
    default: return "IT IS NOT POSSIBLE HERE";
    }
}

struct device_options {
    enum router_role role;
    bool autorestart;
    u32 iobuffer_bytes;
};

/* What may follow, by type; the loop ends at the first token that is none of it. */
static bool device_options(struct profile *p, enum device_type type, struct device_options *o) {
    for (;;) {
        if (profile_keyword(p, "AUTORESTART")) {
            o->autorestart = true;
        } else if (profile_keyword(p, "NOAUTORESTART")) {
            o->autorestart = false;
        } else if (type == DEV_LCS && profile_keyword(p, "NETMAN")) {
            continue; /* management by SNMP agents of the 3172: nothing to manage here */
        } else if (type == DEV_MPCIPA && profile_keyword(p, "PRIRouter")) {
            o->role = ROUTER_PRIMARY;
        } else if (type == DEV_MPCIPA && profile_keyword(p, "SECRouter")) {
            o->role = ROUTER_SECONDARY;
        } else if (type == DEV_MPCIPA && profile_keyword(p, "NONRouter")) {
            o->role = ROUTER_NONE;
        } else if (type == DEV_CTC && profile_keyword(p, "IOBUFFERSIZE")) {
            if (profile_keyword(p, "32K") || profile_keyword(p, "32768"))
                o->iobuffer_bytes = 32768;
            else if (profile_keyword(p, "65535") || profile_keyword(p, "64K"))
                o->iobuffer_bytes = 65535;
            else
                return profile_expected(p, "32K OR 65535");
        } else {
            return true;
        }
    }
}

static bool device_type(struct profile *p, enum device_type *type) {
    static const struct {
        const char *name;
        enum device_type type;
    } types[] = {{"MPCIPA", DEV_MPCIPA}, {"LCS", DEV_LCS}, {"CTC", DEV_CTC}, {"VIRTual", DEV_VIRTUAL}};
    for (u32 i = 0; i < ARRAY_LEN(types); i++) {
        *type = types[i].type;
        if (profile_keyword(p, types[i].name)) return true;
    }
    return profile_expected(p, "A DEVICE TYPE: MPCIPA, LCS, CTC OR VIRTUAL");
}

bool stmt_device(struct profile *p) {
    char name[NAME_MAX_LEN + 1];
    enum device_type type;
    u32 devnum = 0;
    if (!profile_name(p, name, sizeof name, "A DEVICE NAME OF 1-16 CHARACTERS")) return false;
    if (!device_type(p, &type)) return false;
    u32 line = p->taken_line;
    if (type != DEV_MPCIPA && !profile_hex(p, 0, 0xFFFF, &devnum)) return false;
    struct device_options o = {.role = ROUTER_NONE};
    if (!device_options(p, type, &o)) return false;
    if (type == DEV_MPCIPA) {
        u16 found;
        const char *why = trl_find(p->ip->sys, name, &found);
        if (why) {
            p->errors++;
            console_message(con(p), PLX0211E, name, line, why);
            return profile_where(p);
        }
        devnum = found;
    }
    struct device *dev;
    int rc = device_add(p->ip->stk, name, type, (u16)devnum, &dev);
    if (rc)
        return refused(p, "DEVICE", name,
                       rc == -ERR_NOENT ? "THIS SYSTEM HAS NO DRIVER FOR ITS TYPE" : why_not(rc));
    dev->role = o.role;
    dev->autorestart = o.autorestart;
    dev->iobuffer_bytes = o.iobuffer_bytes;
    return true;
}

struct link_kind {
    const char *name;
    enum link_type type;
    enum device_type device;
    bool adapter; /* an adapter number follows */
    u32 adapter_max;
};

static const struct link_kind link_kinds[] = {
    {"IPAQENET", LNK_IPAQENET, DEV_MPCIPA, false, 0},   {"ETHERNET", LNK_ETHERNET, DEV_LCS, true, 255},
    {"ETHEROR802.3", LNK_ETHERNET, DEV_LCS, true, 255}, {"CTC", LNK_CTC, DEV_CTC, true, 1},
    {"VIRTual", LNK_VIRTUAL, DEV_VIRTUAL, true, 65535},
};

bool stmt_link(struct profile *p) {
    char name[NAME_MAX_LEN + 1], device[NAME_MAX_LEN + 1];
    if (!profile_name(p, name, sizeof name, "A LINK NAME OF 1-16 CHARACTERS")) return false;
    const struct link_kind *kind = NULL;
    for (u32 i = 0; i < ARRAY_LEN(link_kinds) && !kind; i++)
        if (profile_keyword(p, link_kinds[i].name)) kind = &link_kinds[i];
    if (!kind) return profile_expected(p, "A LINK TYPE: IPAQENET, ETHERNET, ETHEROR802.3, CTC OR VIRTUAL");
    u32 adapter = 0;
    if (kind->adapter && !profile_number(p, 0, kind->adapter_max, &adapter)) return false;
    const char *t = profile_peek(p);
    struct device *dev = t ? device_find(p->ip->stk, t) : NULL;
    if (!dev) return profile_expected(p, "THE NAME OF A DEVICE DEFINED EARLIER");
    if (dev->type != kind->device) return profile_expected(p, "A DEVICE OF THE LINK'S TYPE");
    if (!profile_name(p, device, sizeof device, "A DEVICE NAME")) return false;
    bool ipbcast = profile_keyword(p, "IPBCAST"), monitored = kind->type != LNK_VIRTUAL && profile_keyword(p, "MONSYSPLEX");
    struct link *lnk;
    bool linked = dev->lnk != NULL;
    int rc = link_add(p->ip->stk, dev, name, kind->type, (u16)adapter, &lnk);
    if (rc && linked) return refused(p, "LINK", name, "ITS DEVICE HAS A LINK ALREADY");
    if (rc) return refused(p, "LINK", name, why_not(rc));
    lnk->ipbcast = ipbcast;
    lnk->monsysplex = monitored;
    return true;
}

bool stmt_delete(struct profile *p) {
    char name[NAME_MAX_LEN + 1];
    if (profile_keyword(p, "PORT")) return delete_port(p, false);
    if (profile_keyword(p, "PORTRange")) return delete_port(p, true);
    bool is_link = profile_keyword(p, "LINK");
    if (!is_link && !profile_keyword(p, "DEVICE"))
        return profile_expected(p, "DEVICE, LINK, PORT OR PORTRANGE");
    if (!profile_name(p, name, sizeof name, "A NAME")) return false;
    int rc = is_link ? link_delete(p->ip->stk, name) : device_delete(p->ip->stk, name);
    return rc ? refused(p, is_link ? "DELETE LINK" : "DELETE DEVICE", name, why_not(rc)) : true;
}

static bool start_stop(struct profile *p, bool start) {
    const char *t = profile_peek(p);
    struct device *dev = t ? device_find(p->ip->stk, t) : NULL;
    if (!dev) return profile_expected(p, "THE NAME OF A DEVICE DEFINED EARLIER");
    if (dev->type == DEV_VIRTUAL || dev->type == DEV_LOOPBACK)
        return profile_expected(p, "A DEVICE THAT IS NOT VIRTUAL");
    profile_take(p);
    int rc = start ? device_start(dev, p->now) : device_stop(dev, p->now);
    if (rc == 0) return true;
    return refused(p, start ? "START" : "STOP", dev->name, dev->lnk ? why_not(rc) : "IT HAS NO LINK");
}

bool stmt_start(struct profile *p) { return start_stop(p, true); }
bool stmt_stop(struct profile *p) { return start_stop(p, false); }
