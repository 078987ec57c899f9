-- plex390.lua - reads the captures of a plex's signalling in Wireshark and tshark: what passes channel-to-channel units and links
-- to coupling facilities (hercules-devices/tap.h).
--
--   tshark -X lua_script:lab/plex390.lua -r RUN/PLEX/SYSA.signals.pcapng
--   plexctc.code == 0x01        xcf.type == 2 && xcf.from == "SYSB"        plexcf.op == 0x20        tcp.port == 80
--
-- Layouts: hercules-devices/ctc_wire.h, guest-stack/wire/ctcblk.h, xcfmsg.h, cfcmd.h. A block of data is shown where it is written:
-- in a CTC's WRITE, in a list entry's WRITE, and in the entries that a list read gives. IP packets go to Wireshark's own dissector.

local function names(list) local t = {} for i, n in pairs(list) do t[i] = n end return t end

-- XCF messages (wire/xcfmsg.h)
local xcf = Proto("xcf", "Cross-System Coupling Facility")
local xcf_types = names{[1] = "HELLO", [2] = "DATA", [3] = "ACK"}
local xcf_kinds = names{[1] = "user", [2] = "member", [3] = "sync"}
local x = {
    type = ProtoField.uint8("xcf.type", "Type", base.DEC, xcf_types),
    bytes = ProtoField.uint16("xcf.bytes", "Bytes of the block"),
    from = ProtoField.string("xcf.from", "From"),
    from_inc = ProtoField.uint64("xcf.from_incarnation", "Incarnation of the sender", base.HEX),
    to = ProtoField.string("xcf.to", "To"),
    to_inc = ProtoField.uint64("xcf.to_incarnation", "Incarnation of the receiver", base.HEX),
    token = ProtoField.uint32("xcf.token", "Path token", base.HEX),
    seq = ProtoField.uint32("xcf.seq", "Sequence number"),
    ack = ProtoField.uint32("xcf.ack", "Next number expected"),
    first = ProtoField.bool("xcf.first", "First segment", 8, nil, 0x80),
    last = ProtoField.bool("xcf.last", "Last segment", 8, nil, 0x40),
    leaving = ProtoField.bool("xcf.leaving", "The sender leaves", 8, nil, 0x20),
    stopped = ProtoField.bool("xcf.stopped", "The last on this path", 8, nil, 0x08),
    named = ProtoField.bool("xcf.named", "With names of the paths heard", 8, nil, 0x10),
    sysplex = ProtoField.string("xcf.sysplex", "Sysplex"),
    path = ProtoField.string("xcf.path", "Path"),
    interval = ProtoField.uint32("xcf.interval", "INTERVAL, ms"),
    heard = ProtoField.string("xcf.heard", "Heard"),
    heard_path = ProtoField.string("xcf.heard_path", "Heard on path"),
    gone = ProtoField.string("xcf.gone", "Out of the sysplex"),
    kind = ProtoField.uint8("xcf.kind", "Message kind", base.DEC, xcf_kinds),
    length = ProtoField.uint32("xcf.length", "Bytes of the message"),
    member_from = ProtoField.uint32("xcf.member_from", "From member", base.HEX),
    member_to = ProtoField.uint32("xcf.member_to", "To member", base.HEX),
    group = ProtoField.string("xcf.group", "Group"),
    member = ProtoField.string("xcf.member", "Member"),
    data = ProtoField.bytes("xcf.data", "Data"),
}
xcf.fields = x

local function text(range) return (range:string():gsub("[ %z]+$", "")) end

local function xcf_hello(body, flags, tree)
    if body:len() < 28 then return end
    local heard, gone = body(0, 2):uint(), body(2, 2):uint()
    tree:add(x.interval, body(4, 4))
    tree:add(x.path, body(12, 16), text(body(12, 16)))
    for i = 0, heard + gone - 1 do
        local at = 28 + 20 * i
        if at + 20 > body:len() then return end
        tree:add(i < heard and x.heard or x.gone, body(at, 20), text(body(at, 8)))
    end
    for i = 0, bit.band(flags, 0x10) ~= 0 and heard - 1 or -1 do
        local at = 28 + 20 * (heard + gone) + 16 * i
        if at + 16 > body:len() then return end
        tree:add(x.heard_path, body(at, 16), text(body(at, 16)))
    end
end

local function xcf_data(body, flags, tree)
    if bit.band(flags, 0x80) == 0 or body:len() < 64 then
        tree:add(x.data, body)
        return
    end
    tree:add(x.kind, body(0, 1))
    tree:add(x.length, body(4, 4))
    tree:add(x.member_from, body(8, 4))
    tree:add(x.member_to, body(12, 4))
    if body(0, 1):uint() == 2 and body:len() >= 128 then
        tree:add(x.group, body(64, 8), text(body(64, 8)))
        tree:add(x.member, body(72, 16), text(body(72, 16)))
    elseif body:len() > 64 then
        tree:add(x.data, body(64))
    end
end

-- One block; the bytes it takes, 0 if it is none.
local function xcf_block(tvb, at, pinfo, root)
    if tvb:len() - at < 64 or tvb(at, 2):uint() ~= 0xE7C3 then return 0 end
    local bytes = tvb(at + 4, 2):uint()
    if bytes < 64 or bytes > tvb:len() - at then return 0 end
    local b, type = tvb(at, bytes), tvb(at + 3, 1):uint()
    local from, to, seq = text(b(8, 8)), text(b(24, 8)), b(44, 4):uint()
    local what = string.format("XCF %s %s>%s", xcf_types[type] or type, from, to == "" and "*" or to)
    if type == 2 then what = what .. " #" .. seq end
    local tree = root:add(xcf, b, what)
    tree:add(x.type, b(3, 1))
    tree:add(x.bytes, b(4, 2))
    tree:add(x.from, b(8, 8), from)
    tree:add(x.from_inc, b(16, 8))
    tree:add(x.to, b(24, 8), to)
    tree:add(x.to_inc, b(32, 8))
    tree:add(x.token, b(40, 4))
    tree:add(x.seq, b(44, 4))
    tree:add(x.ack, b(48, 4))
    for _, f in ipairs{x.first, x.last, x.leaving, x.stopped, x.named} do tree:add(f, b(52, 1)) end
    tree:add(x.sysplex, b(56, 8), text(b(56, 8)))
    if bytes > 64 and type == 1 then xcf_hello(b(64), b(52, 1):uint(), tree) end
    if bytes > 64 and type == 2 then xcf_data(b(64), b(52, 1):uint(), tree) end
    pinfo.cols.protocol = "XCF"
    pinfo.cols.info:append(", " .. what)
    return bytes
end

local function xcf_transfer(tvb, pinfo, root)
    local at, n = 0, 0
    while at < tvb:len() do
        local bytes = xcf_block(tvb, at, pinfo, root)
        if bytes == 0 then break end
        at, n = at + bytes, n + 1
    end
    return n > 0
end

-- Channel-to-channel links (ctc_wire.h)
local ctc = Proto("plexctc", "Channel-to-Channel Link")
local ctc_types = names{[1] = "ATTACH", [2] = "REFUSED", [3] = "COMMAND", [4] = "RESET"}
local ctc_codes = names{[0x01] = "WRITE", [0x81] = "WEOF", [0x02] = "READ", [0x0C] = "READ BACKWARD", [0x07] = "CONTROL",
    [0xE3] = "PREPARE", [0xC3] = "SET EXTENDED", [0x43] = "SET BASIC", [0x14] = "SENSE COMMAND BYTE", [0x03] = "NOP"}
local c = {
    type = ProtoField.uint8("plexctc.type", "Type", base.DEC, ctc_types),
    unit = ProtoField.uint8("plexctc.unit", "Unit of the receiver"),
    from = ProtoField.string("plexctc.from", "From"),
    to = ProtoField.string("plexctc.to", "To"),
    devnum = ProtoField.uint16("plexctc.devnum", "Device number", base.HEX),
    partner = ProtoField.uint16("plexctc.partner", "Partner's device number", base.HEX),
    number = ProtoField.uint32("plexctc.number", "Number"),
    seen = ProtoField.uint32("plexctc.seen", "Last number seen"),
    matched = ProtoField.uint32("plexctc.matched", "Number of the command that ended by it"),
    code = ProtoField.uint8("plexctc.code", "Command", base.HEX, ctc_codes),
    done = ProtoField.bool("plexctc.done", "Has ended", 8, nil, 0x01),
    accepted = ProtoField.bool("plexctc.accepted", "Accepted", 8, nil, 0x02),
    ahead = ProtoField.uint8("plexctc.ahead", "commands that follow by chaining"),
    count = ProtoField.uint32("plexctc.count", "Count"),
    system = ProtoField.bool("plexctc.system", "System reset", 8, nil, 0x01),
    data = ProtoField.bytes("plexctc.data", "Block"),
    packets = ProtoField.uint32("plexctc.packets", "Packets in the block"),
}
ctc.fields = c
local ip = Dissector.get("ip")

-- A block of IP packets (wire/ctcblk.h). false: it is none.
local function ip_block(tvb, pinfo, root, tree)
    local n, at, said = 0, 2, tvb:len() >= 2 and tvb(0, 2):uint() or 0
    if said < 2 or said > tvb:len() then return false end
    while at < said do
        local bytes = said - at >= 6 and tvb(at, 2):uint() or 0
        if bytes < 6 or bytes > said - at or tvb(at + 2, 2):uint() ~= 0x0800 then return false end
        at = at + bytes
    end
    at = 2
    while at < said do
        local bytes = tvb(at, 2):uint()
        if bytes > 6 then ip:call(tvb(at + 6, bytes - 6):tvb(), pinfo, root) end
        at, n = at + bytes, n + 1
    end
    tree:add(c.packets, n):set_generated()
    return true
end

local function ctc_command(tvb, pinfo, root, tree)
    local code, flags = tvb(20, 1):uint(), tvb(22, 1):uint()
    local done = bit.band(flags, 1) ~= 0
    tree:add(c.number, tvb(8, 4))
    tree:add(c.seen, tvb(12, 4))
    tree:add(c.matched, tvb(16, 4))
    tree:add(c.code, tvb(20, 1))
    tree:add(c.done, tvb(22, 1))
    tree:add(c.accepted, tvb(22, 1))
    local ahead = tvb(23, 1):uint()
    tree:add(c.ahead, tvb(23, 1))
    tree:add(c.count, tvb(24, 4))
    pinfo.cols.info = string.format("%s unit %d %s", ctc_codes[code] or string.format("%02X", code), tvb(2, 1):uint(), done and "ends" or "waits")
    if ahead > 0 then pinfo.cols.info:append(string.format(", %d %s follow", ahead, tvb:len() > 28 and tvb(28, 1):uint() >= 128 and "READs and PREPAREs" or "READs")) end
    if tvb:len() <= 28 or ahead > 0 then return end
    local block = tvb(28):tvb()
    pinfo.cols.info:append(string.format(", %d bytes", block:len()))
    tree:add(c.data, tvb(28))
    if not xcf_transfer(block, pinfo, root) then ip_block(block, pinfo, root, tree) end
end

function ctc.dissector(tvb, pinfo, root)
    if tvb:len() < 8 then return 0 end
    local type, tree = tvb(0, 1):uint(), root:add(ctc, tvb())
    pinfo.cols.protocol = "CTC"
    pinfo.cols.info = ctc_types[type] or "?"
    tree:add(c.type, tvb(0, 1))
    tree:add(c.unit, tvb(2, 1))
    if type == 3 and tvb:len() >= 28 then
        ctc_command(tvb, pinfo, root, tree)
    elseif type == 1 and tvb:len() >= 36 then
        tree:add(c.from, tvb(8, 8), text(tvb(8, 8)))
        tree:add(c.to, tvb(16, 8), text(tvb(16, 8)))
        tree:add(c.devnum, tvb(24, 2))
        tree:add(c.partner, tvb(26, 2))
        pinfo.cols.info:append(" " .. text(tvb(8, 8)) .. " to " .. text(tvb(16, 8)))
    elseif type == 4 and tvb:len() >= 16 then
        tree:add(c.number, tvb(8, 4))
        tree:add(c.system, tvb(12, 1))
    end
    return tvb:len()
end

-- Links to coupling facilities (wire/cfcmd.h)
local cf = Proto("plexcf", "Coupling Facility Link")
local cf_ops = {}
local function ops(first, list) for i, n in ipairs(list) do cf_ops[first + i - 1] = n end end
ops(0x01, {"IDENTIFY", "STRUCTURES", "CONNECTIONS", "POLICY", "POLICY_QUERY", "ISOLATE", "QUERY_SYSTEMS", "DRAIN", "RESET"})
ops(0x10, {"CONNECT", "DISCONNECT", "FORCE", "CONNDATA", "ORDERED"})
ops(0x20, {"WRITE", "READ", "MOVE", "DELETE", "READ_LIST", "DELETE_LIST", "READ_MULT", "DELETE_MULT", "LOCK", "LCONTROLS",
    "SET_LCONTROLS", "MONITOR_LIST", "MONITOR_KEY", "MONITOR_EVENTQ", "DEQ_EVENTQ"})
ops(0x30, {"OBTAIN", "RELEASE", "CANCEL", "RECORD_SET", "RECORD_RESET", "RECORD_READ"})
ops(0x40, {"C_READ", "C_WRITE", "C_INVALIDATE", "C_UNREGISTER", "CASTOUT", "CASTOUT_END", "CASTOUT_CLASS"})
ops(0x7E, {"PENDING", "ISOLATED"})
local f = {
    response = ProtoField.bool("plexcf.response", "Response", 8, nil, 0x80),
    op = ProtoField.uint8("plexcf.op", "Operation", base.HEX, cf_ops, 0x7F),
    tag = ProtoField.uint16("plexcf.tag", "Tag", base.HEX),
    length = ProtoField.uint32("plexcf.length", "Length"),
    token = ProtoField.uint32("plexcf.token", "Structure token", base.HEX),
    connection = ProtoField.uint8("plexcf.connection", "Connection"),
    rc = ProtoField.uint16("plexcf.rc", "Response code"),
    pending = ProtoField.bool("plexcf.pending", "There are notices", 8, nil, 0x01),
    count = ProtoField.uint32("plexcf.count", "Count"),
    list = ProtoField.uint32("plexcf.list", "List"),
    structure = ProtoField.string("plexcf.structure", "Structure"),
    data = ProtoField.bytes("plexcf.data", "Data of the entry"),
}
cf.fields = f

-- Entries of a response, one behind the other: 128 bytes, then the data.
local function cf_entries(tvb, at, pinfo, root, tree)
    while tvb:len() - at >= 128 do
        local bytes, data = tvb(at, 4):uint(), tvb(at + 20, 4):uint()
        if bytes < 128 or bytes > tvb:len() - at or data > bytes - 128 then return end
        if data > 0 then
            tree:add(f.data, tvb(at + 128, data))
            xcf_transfer(tvb(at + 128, data):tvb(), pinfo, root)
        end
        at = at + bytes
    end
end

function cf.dissector(tvb, pinfo, root)
    if tvb:len() < 16 then return 0 end
    local tree, op = root:add(cf, tvb()), bit.band(tvb(1, 1):uint(), 0x7F)
    local response = tvb(1, 1):uint() >= 0x80
    pinfo.cols.protocol = "CF"
    pinfo.cols.info = (cf_ops[op] or string.format("%02X", op)) .. (response and " response" or "")
    tree:add(f.response, tvb(1, 1))
    tree:add(f.op, tvb(1, 1))
    tree:add(f.tag, tvb(2, 2))
    tree:add(f.length, tvb(4, 4))
    if response then
        tree:add(f.rc, tvb(8, 2))
        tree:add(f.pending, tvb(10, 1))
        tree:add(f.count, tvb(12, 4))
        if tvb(8, 2):uint() ~= 0 then pinfo.cols.info:append(string.format(" rc %d", tvb(8, 2):uint())) end
        if op == 0x21 or op == 0x24 or op == 0x26 then cf_entries(tvb, 16, pinfo, root, tree) end
        return tvb:len()
    end
    tree:add(f.token, tvb(8, 4))
    tree:add(f.connection, tvb(12, 1))
    if op == 0x10 and tvb:len() >= 48 then
        tree:add(f.structure, tvb(16, 16), text(tvb(16, 16)))
        pinfo.cols.info:append(" " .. text(tvb(16, 16)))
    elseif op >= 0x20 and op < 0x30 and tvb:len() >= 176 then
        tree:add(f.list, tvb(16, 4))
        if op == 0x20 and tvb:len() > 176 then
            tree:add(f.data, tvb(176))
            xcf_transfer(tvb(176):tvb(), pinfo, root)
        end
    end
    return tvb:len()
end

local encapsulations = DissectorTable.get("wtap_encap")
encapsulations:add(wtap.USER0, ctc)
encapsulations:add(wtap.USER1, cf)
