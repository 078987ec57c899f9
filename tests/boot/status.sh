#!/bin/sh
# status.sh - what `plex390 status --json --guests` says of a running sysplex is so: systems, paths over CTCs, facility links,
# dynamic VIPAs, the distributor's targets; and asking leaves no trace on the operator's console.
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP status: no device modules are built"; exit 77; }
command -v python3 >/dev/null || { echo "SKIP status: no python3"; exit 77; }
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
cat >"$tmp/configs/PLEX1/tcpparms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 10.1.1.80
  VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN 10.1.1.80 PORT 80 5001 DESTIP ALL
ENDVIPADYNAMIC
END

# An expression over the status: S, D, T are systems, dynamic VIPAs and targets by name.
says() {
    "$plex390" status --json --guests >"$tmp/status" || return 1
    python3 - "$tmp/status" "$1" <<'END'
import json, sys
P = json.load(open(sys.argv[1]))
S = {s["name"]: s for s in P["systems"]}
D = {d["address"]: d for d in P["dvipas"]}
T = P["targets"]
C = {c["name"]: c["facility"] for c in P["cfs"]}
owner = lambda a: [s["system"] for s in D[a]["stacks"] if s["status"] == "ACTIVE"]
if not eval(sys.argv[2]):
    sys.exit(json.dumps(P)[:3000])
END
}
lines() { "$plex390" console "$1" </dev/null | wc -l; }

ok "status: the plex comes up" "$plex390" up PLEX1 || exit 1
ok "status: four systems are ACTIVE, each with a path to every other" within 10 says \
    'all(s["status"] == "ACTIVE" and sorted(p["system"] for p in s["paths"] if p["status"] == "WORKING") == sorted(set(S) - {n}) for n, s in S.items())'
ok "status: how fast they are, dynamic XCF addresses" says 'all((s["mips"] or 0) > 0 or s["instructions"] > 1e6 for s in S.values()) and S["SYSC"]["xcf_address"] == "193.9.200.3"'
ok "status: each facility knows every system and counts its commands" says \
    'all(len(c["systems"]) == 4 and all(s["commands"] > 0 and s["bytes"] > 0 for s in c["systems"]) for c in C.values())'
ok "status: who owns the dynamic VIPA, and who is next" says \
    'owner("10.1.1.80") == ["SYSA"] and max(D["10.1.1.80"]["stacks"], key=lambda s: s["rank"])["system"] == "SYSB"'
ok "status: targets of the distributor" within 10 says \
    'sorted(t["system"] for t in T if t["port"] == 80 and t["ready"] == 1 and t["by"] == "SYSA") == sorted(S)'
before=$(lines SYSA)
for _ in 1 2 3; do "$plex390" status --json --guests >"$tmp/status"; done
ok "status: the operator's console shows nothing of it" [ "$(lines SYSA)" = "$before" ]
if on_lan; then
    for _ in 1 2 3 4 5 6 7 8; do client curl -sS -o /dev/null --max-time 5 http://10.1.1.80/; done
    ok "status: connections are counted where they went" says 'sum(t["connections"] for t in T if t["port"] == 80) == 8'
fi
table() { "$plex390" status --guests >"$tmp/table"; cat "$tmp/table"; for t in "$@"; do grep -Eq "$t" "$tmp/table" || { echo "no '$t'"; return 1; }; done; }
ok "status: people read it, too" table '^DVIPA +10\.1\.1\.80 +SYSA +distributes, next SYSB SYSC SYSD$' '^TARGET +10\.1\.1\.80:80 +SYSC +ready, [0-9]+ open of [0-9]+ by SYSA$'
cmd SYSC "V TCPIP,,SYSPLEX,QUIESCE,PORT=80" >"$tmp/out"
ok "status: who is quiesced" within 5 table '^TARGET +10\.1\.1\.80:80 +SYSC +quiesced,' '^TARGET +10\.1\.1\.80:5001 +SYSC +ready,'
"$plex390" freeze SYSD
ok "status: a frozen system is not asked, and named" says 'S["SYSD"]["state"] == "frozen" and S["SYSD"]["paths"] == [] and S["SYSA"]["paths"] != []'
"$plex390" thaw SYSD
"$plex390" kill SYSA
ok "status: the next system owns the dynamic VIPA of a killed one" within 10 says 'S["SYSA"]["state"] == "absent" and owner("10.1.1.80") == ["SYSB"]'
