-- plain: batches of plain operations, which are most (part of batch, its first). They are reckoned
-- through in memory with what a few calls have read, then written by a few calls. Whatever is not
-- plain (options, notes, expired items, locks of others, a broken list, due leases, names met twice)
-- ends this without a trace, and the rest of the script does the whole batch: so nothing may be
-- written before all is known to be plain. What it does is what the rest would do, only cheaper.
-- It comes before all other parts: a function costs time when its definition is met, and a batch that
-- ends here meets no others.
local FOR_EVER = "#ALLOCATED||#ALLOCATED||-1"
local ALLOCATED_PREFIX = "#ALLOCATED||#ALLOCATED||"
local MOST_ARGS = 4000 -- of one call
local UNHEALTHY = "#UNHEALTHY"
local NOT_MINE = "NOTOWNER the lease of this resource has another token"
local LONGEST = 1e15

local call, sub, format = redis.call, string.sub, string.format
local plain_pool, plain_base = KEYS[1], sub(KEYS[1], 1, -6) .. ":"
local token_of = {} -- of leases named; false: none; true: granted in this batch
local value_of_entry = {} -- of resources named, and the tail
local head, tail, stored_head, stored_tail
local head_rest -- of the head's value what is behind its prev: next||expiry
local pushed, first_pushed = {}, 1 -- freed ones behind the old list, as far as they are not lent again
local granted, expiry_of_granted, ask_of_granted = {}, {}, {} -- in order; expiry: false if lent again
local renewed, is_renewed = {}, {} -- places in ARGV, in order; by name
local us, seconds, seconds_text

local function plain_clock()
    if not us then
        local time = call("TIME")
        seconds_text, seconds = time[1], tonumber(time[1])
        us = seconds * 1000000 + tonumber(time[2])
    end
end

-- The expiry at the end of an entry, and where the "||" before it is; nil when it is not plain.
local function expiry_at_end(value)
    if sub(value, -4) == "||-1" then
        return "-1", #value - 3
    end
    local at, _, expiry = string.find(value, "||(%d+)$")
    plain_clock()
    if not at or tonumber(expiry) <= seconds then
        return nil
    end
    return expiry, at
end

-- Reads what the operations name. False when one of them is not plain.
local function read_plain()
    local keys, names, at = { KEYS[2], KEYS[3] }, { plain_pool, "" }, 4
    while ARGV[at] do
        local letter = ARGV[at]
        if letter == "M" then
            if ARGV[at + 1] ~= "1" or ARGV[at + 5] ~= "" or ARGV[at + 7] ~= ""
                or ARGV[at + 8] ~= "" then
                return false
            end
            at = at + 9
        elseif letter == "F" then
            if ARGV[at + 3] ~= "1" or ARGV[at + 2] ~= "" then
                return false
            end
            names[#names + 1] = ARGV[at + 4]
            keys[#keys + 1] = plain_base .. ARGV[at + 4]
            at = at + 5
        elseif letter == "R" then
            names[#names + 1] = ARGV[at + 1]
            keys[#keys + 1] = plain_base .. ARGV[at + 1]
            at = at + 4
        else
            return false
        end
    end
    if #names > MOST_ARGS then
        return false
    end
    local values = call("MGET", unpack(keys))
    head, tail = values[1] or "", values[2] or ""
    if (head == "") ~= (tail == "") then
        return false
    end
    stored_head, stored_tail = head, tail
    call("ZCARD", KEYS[4]) -- of the right type?
    if #names == 2 then
        return true
    end
    names[2] = tail
    local entries = call("HMGET", unpack(names))
    value_of_entry[tail] = entries[1]
    for i = 3, #names do
        token_of[names[i]] = values[i]
        value_of_entry[names[i]] = entries[i - 1]
    end
    return true
end

-- Steps from the head to the next one. The taken one's expiry; nil when something is not plain.
local function pass_head()
    local expiry, at = expiry_at_end(head_rest)
    if not expiry then
        return nil
    end
    local next = sub(head_rest, 1, at - 1)
    if next == "" then
        if head ~= tail then
            return nil
        end
        head, tail, head_rest = "", "", nil
        return expiry
    end
    local value = call("HGET", plain_pool, next)
    if not value or sub(value, 1, #head + 2) ~= head .. "||" then
        return nil
    end
    head_rest = sub(value, #head + 3)
    head = next
    -- A prev that ends in '|' can be mistaken for a shorter one, but for what stands behind it then.
    if string.byte(head_rest) == 124 and not string.find(head_rest, "^||%-?%d+$")
        or not string.find(head_rest, "||", 1, true) then
        return nil
    end
    return expiry
end

-- A resource from the list's head and its expiry, else one freed in this batch; "" when there is none;
-- nil when something is not plain.
local function take_plain()
    if head ~= "" then
        if not head_rest then
            local value = call("HGET", plain_pool, head)
            if not value or sub(value, 1, 2) ~= "||" then
                return nil
            end
            head_rest = sub(value, 3)
        end
        local name = head
        local expiry = pass_head()
        return expiry and name, expiry
    end
    local name = pushed[first_pushed]
    if name then
        first_pushed = first_pushed + 1
        return name, false
    end
    call("HLEN", plain_pool) -- of the right type?
    plain_clock()
    local now = format("%.0f", math.floor(us / 1000))
    return call("ZCOUNT", KEYS[4], "-inf", now) == 0 and "" or nil
end

-- Each returns the operation's reply; nil when something is not plain.
local function plain_malloc(at)
    local name, expiry = take_plain()
    if not name or (tonumber(ARGV[at + 3]) or 0) > LONGEST then
        return nil
    elseif name == "" then
        return {}
    end
    local n, reply = #granted + 1, { name, "", 0, -1 }
    granted[n], expiry_of_granted[n], ask_of_granted[n] = reply, expiry, at
    token_of[name] = true
    return reply
end

local function plain_free(at)
    local name, token = ARGV[at + 4], ARGV[at + 1]
    local its_token, value = token_of[name], value_of_entry[name]
    if its_token == true or is_renewed[name] then
        return nil
    elseif not its_token or its_token == UNHEALTHY then
        return 0
    elseif token ~= "" and token ~= its_token then
        return redis.error_reply(NOT_MINE)
    elseif string.find(its_token, "+", 1, true) or not value then
        return nil
    elseif value ~= FOR_EVER and (sub(value, 1, 24) ~= ALLOCATED_PREFIX
        or not expiry_at_end(value)) then
        return nil
    end
    token_of[name] = false
    pushed[#pushed + 1] = name
    return 1
end

local function plain_renew(at)
    local name, token = ARGV[at + 1], ARGV[at + 2]
    local its_token = token_of[name]
    if its_token == true or (tonumber(ARGV[at + 3]) or 0) > LONGEST then
        return nil
    elseif not its_token or its_token == UNHEALTHY then
        return 0
    elseif token ~= "" and token ~= its_token then
        return redis.error_reply(NOT_MINE)
    elseif not value_of_entry[name] then
        return nil
    end
    renewed[#renewed + 1] = at
    is_renewed[name] = true
    return 1
end

-- The replies; nil when something is not plain.
local function reckon_plain()
    local replies, at = {}, 4
    while ARGV[at] do
        local letter, reply = ARGV[at]
        if letter == "M" then
            reply = plain_malloc(at)
            at = at + 9
        elseif letter == "F" then
            reply = plain_free(at)
            at = at + 5
        else
            reply = plain_renew(at)
            at = at + 4
        end
        if not reply then
            return nil
        end
        replies[#replies + 1] = reply
    end
    return replies
end

-- Has nobody a lock on what comes from the list?
local function are_unlocked()
    local keys = {}
    for i = 1, #granted do
        if expiry_of_granted[i] then
            keys[#keys + 1] = plain_base .. granted[i][1]
        end
    end
    return #keys == 0 or call("EXISTS", unpack(keys)) == 0
end

-- The entries to write, names and values in turn; nil when something is not plain.
local function new_entries()
    local entries, n, count = { plain_pool }, 1, #pushed
    for i = 1, #granted do
        local expiry = expiry_of_granted[i]
        if expiry then
            entries[n + 1] = granted[i][1]
            entries[n + 2] = expiry == "-1" and FOR_EVER or ALLOCATED_PREFIX .. expiry
            n = n + 2
        end
    end
    local is_joined = tail ~= "" and first_pushed <= count
    if head ~= stored_head and head ~= "" and not (is_joined and head == tail) then
        entries[n + 1], entries[n + 2] = head, "||" .. head_rest
        n = n + 2
    end
    if is_joined then
        local value = value_of_entry[tail]
        local expiry, at = expiry_at_end(value or "")
        local prev = expiry and sub(value, at - 2, at - 1) == "||"
            and sub(value, 1, at - 3)
        if not prev or prev == "#ALLOCATED" then
            return nil
        end
        entries[n + 1] = tail
        prev = head == tail and head ~= stored_head and "" or prev
        entries[n + 2] = prev .. "||" .. pushed[first_pushed] .. "||"
            .. expiry
        n = n + 2
    end
    local prev = tail
    for i = first_pushed, count do
        local name = pushed[i]
        entries[n + 1] = name
        local end_of_entry = sub(value_of_entry[name], 23) -- "||" and the expiry
        entries[n + 2] = prev .. "||" .. (pushed[i + 1] or "") .. end_of_entry
        n = n + 2
        prev = name
    end
    if first_pushed <= count then
        head, tail = head ~= "" and head or pushed[first_pushed], prev
    end
    return entries
end

-- Deadlines as texts: to make one of a number costs more than all else about it.
local deadline_of = {} -- timeout -> deadline
local function plain_deadline(timeout)
    local deadline = deadline_of[timeout]
    if not deadline then
        local at = math.floor(us / 1000) + timeout
        deadline = format("%d%03d", math.floor(at / 1000), at % 1000)
        deadline_of[timeout] = deadline
    end
    return deadline
end

-- Ends and renews leases; the index entries to write are added to `due`.
local function write_old_leases(due)
    local keys, names = {}, { KEYS[4] }
    for i = first_pushed, #pushed do
        keys[#keys + 1] = plain_base .. pushed[i]
        names[#names + 1] = pushed[i]
    end
    if #keys > 0 then
        call("DEL", unpack(keys))
        call("ZREM", unpack(names))
    end
    for i = 1, #renewed do
        local at, n = renewed[i], #due
        local name, timeout = ARGV[at + 1], ARGV[at + 3]
        due[n + 2] = name
        if (tonumber(timeout) or 0) > 0 then
            call("PEXPIRE", plain_base .. name, timeout)
            due[n + 1] = plain_deadline(timeout)
        else
            call("PERSIST", plain_base .. name)
            due[n + 1] = "+inf"
        end
    end
end

-- Seconds and microseconds side by side, unless Redis' clock went back or there are too many.
local function plain_fence(fence)
    local low = fence - seconds * 1000000
    return low < 1000000 and format("%s%06d", seconds_text, low) or format("%.0f", fence)
end

-- Makes leases of what is granted, from this fence on, and completes its replies. Returns the
-- journal's record of them.
local function write_new_leases(due, fence)
    local parts = { ARGV[2], format("%.0f", math.floor(us / 1000)) }
    for i = 1, #granted do
        local reply, at, n = granted[i], ask_of_granted[i], #due
        local name, timeout = reply[1], ARGV[at + 3]
        local token, timeout_ms = plain_fence(fence) .. "-" .. ARGV[at + 4], tonumber(timeout) or 0
        due[n + 2] = name
        if timeout_ms > 0 then
            call("SET", plain_base .. name, token, "PX", timeout)
            due[n + 1], reply[4] = plain_deadline(timeout), timeout_ms
        else
            call("SET", plain_base .. name, token)
            due[n + 1] = "+inf"
        end
        reply[2], reply[3] = token, fence
        parts[2 * i + 1], parts[2 * i + 2] = name, token
        fence = fence + 1
    end
    return table.concat(parts, "\0")
end

local function write_plain(entries, last_fence)
    local due = { KEYS[4] }
    if #granted > 0 or #renewed > 0 then
        plain_clock()
    end
    write_old_leases(due)
    local first_fence = math.max(last_fence + 1, us or 0)
    local record = #granted > 0 and write_new_leases(due, first_fence)
    if #due > 1 then
        call("ZADD", unpack(due))
    end
    if #entries > 1 then
        call("HSET", unpack(entries))
    end
    if head ~= stored_head then
        call("SET", KEYS[2], head)
    end
    if tail ~= stored_tail then
        call("SET", KEYS[3], tail)
    end
    if record then
        local last = plain_fence(first_fence + #granted - 1)
        call("HSET", KEYS[6], "fence", last, ARGV[1], record)
    end
end

local function run_plain()
    local known = call("HMGET", KEYS[6], "fence", ARGV[1])
    if known[2] and tonumber(string.match(known[2], "^%d+") or 0) >= tonumber(ARGV[2]) then
        return redis.error_reply("STALE this batch has been done or recalled")
    end
    local replies = ARGV[3] == "exclusive" and read_plain() and reckon_plain()
    local entries = replies and are_unlocked() and new_entries()
    if not entries then
        return nil
    end
    write_plain(entries, tonumber(known[1] or 0) or 0)
    return replies
end

local plain_replies = run_plain()
if plain_replies then
    return plain_replies
end
