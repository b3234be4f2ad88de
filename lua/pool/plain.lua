-- plain: a batch of plain operations of an exclusive pool, which are most. They are reckoned through in
-- memory with what a few calls have read, then written by a few calls. Whatever is not plain (notes,
-- expired items, locks of others, a broken list, due leases, names met twice) it leaves to batch: it
-- answers FULL and has changed nothing. What it does is what batch would do, only cheaper.
-- Flat, for a function costs time whenever its definition is met.
-- keys: pool head tail leases journal
-- args: daemon sequence randoms(22 bytes for each MALLOC) then runs of operations: F n resource...; T n (resource token)...; M n timeout_ms; R n (resource token("" = whoever holds it) timeout_ms)...; K as R
-- returns: an element an operation; of M token and resource in one text, nil when nothing is free; or FULL; or error STALE as batch
local ARGV, call, sub, find, format = ARGV, redis.call, string.sub, string.find, string.format
local pool, leases, journal = KEYS[1], KEYS[4], KEYS[5]
local base = sub(pool, 1, -6) .. ":"
local FOR_EVER, TAKEN = "#ALLOCATED||#ALLOCATED||-1", "#ALLOCATED||#ALLOCATED"
local NOT_MINE = "NOTOWNER the lease of this resource has another token"
local MOST_ARGS = 4000 -- of one call
-- Two digits of each number from 0 to 99: to make a text of a number costs more than to cut one.
local DIGITS = "00010203040506070809101112131415161718192021222324"
    .. "25262728293031323334353637383940414243444546474849"
    .. "50515253545556575859606162636465666768697071727374"
    .. "75767778798081828384858687888990919293949596979899"

local known = call("HMGET", journal, "fence", ARGV[1], "waiting", "rules", "marks")
if known[2] and tonumber(string.match(known[2], "^%d+") or 0) >= tonumber(ARGV[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end
if known[3] or known[4] or known[5] then
    return "FULL" -- what comes free is for those who wait, or goes where rules and marks say
end
local time = call("TIME")
local seconds = tonumber(time[1])
local now_ms = seconds * 1000 + math.floor(tonumber(time[2]) / 1000)

-- What the operations name: lease keys and entries, and of the list its ends.
local keys, names, named = { KEYS[2], KEYS[3] }, { "" }, 0
local at, letter, count = 4, ARGV[4]
while letter do
    count = tonumber(ARGV[at + 1])
    local step = letter == "F" and 1 or letter == "T" and 2 or 3
    at = at + (letter == "M" and 3 or 2)
    if letter ~= "M" then
        for i = at, at + (count - 1) * step, step do
            local name = ARGV[i]
            named = named + 1
            names[named + 1], keys[named + 2] = name, base .. name
        end
        at = at + count * step
    end
    letter = ARGV[at]
end
if named + 2 > MOST_ARGS then
    return "FULL"
end
local values = call("MGET", unpack(keys))
local head, tail = values[1] or "", values[2] or ""
if (head == "") ~= (tail == "") then
    return "FULL"
end
local old_head, old_tail, tail_entry, entries = head, tail, false, {}
if named > 0 then
    names[1] = tail
    entries = call("HMGET", pool, unpack(names))
    tail_entry = entries[1]
elseif head == "" then
    call("HLEN", pool) -- of the right type?
end

-- One operation after the other.
local replies, done, place = {}, 0, 0 -- place: of the next name in names
local met = {} -- names of FREE and RENEW
local pushed, expiries, pushes, lent = {}, {}, 0, 0 -- freed ones; `lent` of them are lent again
local mallocs = 0 -- so far
local granted, taken, spans, grants = {}, {}, {}, 0 -- granted ones, their new entries (false: as it was)
local renewed, renewals = {}, 0 -- places in ARGV
local rest -- of the head's entry what is behind its prev: next||expiry
local fence, prefix, low -- of the next grant; its text but for the last two digits; these as a number
at, letter = 4, ARGV[4]
while letter do
    count = tonumber(ARGV[at + 1])
    if letter == "M" then
        local timeout = ARGV[at + 2]
        at = at + 3
        if not fence then
            fence = math.max((tonumber(known[1] or 0) or 0) + 1,
                seconds * 1000000 + tonumber(time[2]))
            fence = math.ceil(fence / 100) * 100
            prefix, low = format("%.0f", fence / 100), 0
        end
        for _ = 1, count do
            local name, entry = head, FOR_EVER
            if head ~= "" then
                if not rest then
                    local value = call("HGET", pool, head)
                    if not value or sub(value, 1, 2) ~= "||" then
                        return "FULL"
                    end
                    rest = sub(value, 3)
                end
                local next, _
                if sub(rest, -4) == "||-1" then
                    next = sub(rest, 1, -5)
                else
                    _, _, next, entry = find(rest, "^(.*)||(%d+)$")
                    if not next or tonumber(entry) <= seconds then
                        return "FULL"
                    end
                    entry = TAKEN .. "||" .. entry
                end
                if next == "" then
                    if head ~= tail then
                        return "FULL"
                    end
                    head, tail, rest = "", "", nil
                else
                    local value = call("HGET", pool, next)
                    local len = #head + 2
                    if not value or sub(value, 1, len) ~= head .. "||" then
                        return "FULL"
                    end
                    rest = sub(value, len + 1)
                    head = next
                    -- A prev that ends in '|' can be mistaken for a shorter one, but for what stands
                    -- behind it then.
                    if string.byte(rest) == 124 and not find(rest, "^||%-?%d+$")
                        or not find(rest, "||", 1, true) then
                        return "FULL"
                    end
                end
            elseif lent < pushes then
                lent = lent + 1
                name, entry = pushed[lent], false
            end
            done, mallocs = done + 1, mallocs + 1
            if name == "" then
                replies[done] = false
            else
                if low == 100 then
                    prefix, low = format("%.0f", fence / 100), 0
                end
                local n = grants + 1
                local token = prefix .. sub(DIGITS, 2 * low + 1, 2 * low + 2) .. "-"
                    .. sub(ARGV[3], 22 * mallocs - 21, 22 * mallocs)
                grants, fence, low = n, fence + 1, low + 1
                granted[n], taken[n], spans[n] = name, entry, timeout
                replies[done] = token .. name
                met[name] = token
            end
        end
        if head == "" and not replies[done] and call("ZCOUNT", leases, "-inf", now_ms) > 0 then
            return "FULL"
        end
    else
        local step = letter == "F" and 1 or letter == "T" and 2 or 3
        at = at + 2
        for i = at, at + (count - 1) * step, step do
            place, done = place + 1, done + 1
            local name, token, value = ARGV[i], values[place + 2], entries[place + 1]
            if met[name] then
                return "FULL"
            end
            if not token or string.byte(token) == 35 then
                replies[done] = 0
            elseif step > 1 and token ~= ARGV[i + 1] and ARGV[i + 1] ~= "" then
                replies[done] = redis.error_reply(NOT_MINE)
            elseif not value then
                return "FULL"
            elseif step == 3 then
                local ttl_ms = letter == "K" and call("PTTL", keys[place + 2]) or 0
                if ttl_ms >= 0 and ttl_ms <= (tonumber(ARGV[i + 2]) or 0) or letter == "R" then
                    renewals = renewals + 1
                    renewed[renewals] = i
                end
                met[name], replies[done] = true, 1
            elseif find(token, "+", 1, true) or not find(token, "-", 1, true) then
                return "FULL" -- it has a note, or is of a Python program: see free_one
            else
                local expiry = "||-1"
                if value ~= FOR_EVER then
                    expiry = sub(value, 23)
                    if sub(value, 1, 22) ~= TAKEN or not find(expiry, "^||%d+$")
                        or tonumber(sub(expiry, 3)) <= seconds then
                        return "FULL"
                    end
                end
                pushes = pushes + 1
                pushed[pushes], expiries[pushes] = name, expiry
                met[name], replies[done] = true, 1
            end
        end
        at = at + count * step
    end
    letter = ARGV[at]
end

-- Has nobody a lock on what comes from the list? (What was freed here has its old lease still.)
local lease_keys, asked = {}, {}
for i = 1, grants do
    local key = base .. granted[i]
    lease_keys[i] = key
    if taken[i] then
        asked[#asked + 1] = key
    end
end
if #asked > 0 and call("EXISTS", unpack(asked)) > 0 then
    return "FULL"
end

-- The entries to write, names and values in turn.
local written, n = { pool }, 1
for i = 1, grants do
    if taken[i] then
        written[n + 1], written[n + 2] = granted[i], taken[i]
        n = n + 2
    end
end
local is_joined = tail ~= "" and lent < pushes
if head ~= old_head and head ~= "" and not (is_joined and head == tail) then
    written[n + 1], written[n + 2] = head, "||" .. rest
    n = n + 2
end
if is_joined then
    if not tail_entry then
        return "FULL"
    end
    local prev, expiry
    if sub(tail_entry, -6) == "||||-1" then
        prev, expiry = sub(tail_entry, 1, -7), "||-1"
    else
        prev, expiry = string.match(tail_entry, "^(.*)||(||%d+)$")
    end
    if not prev or prev == "#ALLOCATED" then
        return "FULL"
    end
    if head == tail and head ~= old_head then
        prev = ""
    end
    written[n + 1], written[n + 2] = tail, prev .. "||" .. pushed[lent + 1] .. expiry
    n = n + 2
end
for i = lent + 1, pushes do
    local name = pushed[i]
    written[n + 1], written[n + 2] = name, tail .. "||" .. (pushed[i + 1] or "") .. expiries[i]
    n = n + 2
    tail = name
end
if lent < pushes and head == "" then
    head = pushed[lent + 1]
end

-- All is plain: it is written. The index comes first, for its type is not known yet.
local gone, ended = { leases }, {}
for i = lent + 1, pushes do
    gone[#gone + 1] = pushed[i]
    ended[#ended + 1] = base .. pushed[i]
end
local due, deadlines = { leases }, {}
for i = 1, grants + renewals do
    local place_of = renewed[i - grants]
    local span = place_of and ARGV[place_of + 2] or spans[i]
    local deadline = deadlines[span]
    if not deadline then
        local ms = tonumber(span) or 0
        if ms > 1e15 then
            return "FULL"
        end
        local until_ms = now_ms + ms
        deadline = ms > 0
            and format("%d%03d", math.floor(until_ms / 1000), until_ms % 1000) or "+inf"
        deadlines[span] = deadline
    end
    due[2 * i] = deadline
    due[2 * i + 1] = place_of and ARGV[place_of] or granted[i]
end
if #due > 1 and type(redis.pcall("ZADD", unpack(due))) ~= "number"
    or #gone > 1 and type(redis.pcall("ZREM", unpack(gone))) ~= "number" then
    return "FULL"
end
if #ended > 0 then
    call("DEL", unpack(ended))
end
for i = 1, grants do
    local span = spans[i]
    local token = met[granted[i]]
    if deadlines[span] ~= "+inf" then
        call("SET", lease_keys[i], token, "PX", span)
    else
        call("SET", lease_keys[i], token)
    end
end
for i = 1, renewals do
    local span = ARGV[renewed[i] + 2]
    if deadlines[span] ~= "+inf" then
        call("PEXPIRE", base .. ARGV[renewed[i]], span)
    else
        call("PERSIST", base .. ARGV[renewed[i]])
    end
end
if n > 1 then
    call("HSET", unpack(written))
end
if head ~= old_head then
    call("SET", KEYS[2], head)
end
if tail ~= old_tail then
    call("SET", KEYS[3], tail)
end
if grants > 0 then
    local record = ARGV[2] .. "\0" .. format("%.0f", now_ms) .. "\0"
        .. format("%.0f\0%.0f\0", fence - grants, fence - 1) .. table.concat(granted, "\0")
    call("HSET", journal, "fence", format("%.0f", fence - 1), ARGV[1], record)
end
return replies
