-- run: what the operations of a batch of locks do: see plain and batch, which go over them. `at` and `k`
-- are the places of the operation at hand among argv and keys.
-- include: lock/shares.lua
local argv, keys = ARGV, KEYS

-- A daemon that has granted nothing for so long has no lost batch any more.
local JOURNAL_MS = 7 * 24 * 3600 * 1000

local known -- the daemon's part of the journal; nil: it has none
local is_waited -- somebody waits for some lock
local values, stored_fence -- what all keys hold, as far as they are strings, and the counter
local at, k, replies = 3, nil, {}
local reqid, session = "", "" -- of the operation at hand
local only_again = false -- the operation at hand comes behind others: it gets nothing that it has not
local run_other -- a function, once it was needed

-- Error STALE when this batch has been done or recalled.
local function open_journal()
    local fields = call("HMGET", KEYS[2], argv[1], "waiting")
    known, is_waited = fields[1], fields[2] and true or false
    if known and tonumber(string.match(known, "^%d+") or 0) >= tonumber(argv[2]) then
        return redis.error_reply("STALE this batch has been done or recalled")
    end
    return nil
end

-- first: the place of the operations' first key.
local function read_values(first)
    k, values = first, #keys <= 4000 and call("MGET", unpack(keys)) or {}
    for from = 1, #values == 0 and #keys or 0, 4000 do
        local part = call("MGET", unpack(keys, from, math.min(from + 3999, #keys)))
        for i = 1, #part do
            values[from + i - 1] = part[i]
        end
    end
    stored_fence = values[1]
end

-- Takes a lock that nobody has. Nil when its key is of another type.
local function grant(lock, claim, owner, timeout)
    local how = doomed[lock] and "XX" or "NX"
    local is_set
    if timeout == "0" then
        is_set = call("SET", lock, owner, how)
    else
        is_set = call("SET", lock, owner, how, "PX", timeout)
    end
    if not is_set then
        return nil
    end
    local fence, text = new_fence(stored_fence)
    local n = #granted
    put(claim, text .. "-" .. owner .. tail_of(reqid, session), timeout)
    now_of[lock], doomed[lock] = owner, nil
    granted[n + 1], granted[n + 2], granted[n + 3] = "X", lock, claim
    granted[n + 4], granted[n + 5] = owner, text
    return fence
end

local function value_at(place)
    local value = now_of[keys[place]]
    if value == nil then
        value = values[place]
    end
    return value
end

-- All but the usual: made when it is first needed. The function that it returns does the operation
-- at hand and steps to the next one.
local function make_run_other()
    local shares

    local function prolong(key, timeout)
        if timeout == "0" then
            call("PERSIST", key)
        else
            call("PEXPIRE", key, timeout)
        end
    end

    -- The fence of a claim of this owner, and request and session that have it; nil when it is none of
    -- his.
    local function fence_of(claim, owner)
        local fence, its_owner, its_reqid, its_session =
            string.match(claim or "", "^(%d+)[-+](%Z*)%z?(%Z*)%z?(%Z*)$")
        if its_owner ~= owner then
            return nil
        end
        return tonumber(fence), its_reqid, its_session
    end

    -- The owner is told that the lock is his: his fence, where it is known, and its new deadline.
    -- new_session: that has it from now on; nil: as it was.
    local function confirm(claim, value, owner, timeout, new_session)
        local fence, its_reqid, its_session = fence_of(value, owner)
        if fence then
            local tail = tail_of(its_reqid, new_session or its_session)
            put(claim, string.match(value, "^%d+") .. "+" .. owner .. tail, timeout)
        end
        return fence
    end

    local function finish(lock, claim)
        doomed[lock], now_of[lock], now_of[claim] = claim, false, false
        return 1
    end

    -- Did this very request get the lock already?
    local function is_repeated(claim_value, owner)
        local _, its_reqid = fence_of(claim_value, owner)
        return reqid ~= "" and its_reqid == reqid
    end

    local function take(letter, lock, claim, value, owner, timeout)
        if not value and only_again then
            return false
        elseif not value then
            return grant(lock, claim, owner, timeout) or redis.error_reply(OTHER_TYPE)
        elseif value ~= owner or (letter == "L" and not is_repeated(value_at(k + 1), owner)) then
            return false
        end
        prolong(lock, timeout)
        local fence = confirm(claim, value_at(k + 1), owner, timeout, session)
        if not fence then -- it was locked by others, who know no fences
            local text
            fence, text = new_fence(stored_fence)
            put(claim, text .. "+" .. owner .. tail_of("", session), timeout)
        end
        return fence
    end

    local function set(lock, claim, owner, timeout)
        if doomed[lock] then
            call("DEL", claim)
            doomed[lock] = nil
        end
        put(lock, owner, timeout)
        confirm(claim, value_at(k + 1), owner, timeout)
        return redis.status_reply("OK")
    end

    -- Takes back what was taken since the journal had `first` parts.
    local function undo(first)
        for part = first + 1, #granted, 5 do
            finish(granted[part + 1], granted[part + 2])
        end
        for part = #granted, first + 1, -1 do
            granted[part] = nil
        end
    end

    -- The fences of locks that this request has got already, with the time anew; nil when it has not
    -- got all of them.
    local function take_all_again(count, owner, timeout)
        local fences = {}
        for i = k, k + 2 * count - 2, 2 do
            if value_at(i) ~= owner or not is_repeated(value_at(i + 1), owner) then
                return nil
            end
        end
        for i = k, k + 2 * count - 2, 2 do
            prolong(keys[i], timeout)
            fences[#fences + 1] = confirm(keys[i + 1], value_at(i + 1), owner, timeout, session)
        end
        return fences
    end

    -- False when one of the locks is held; an error reply when nothing could be done.
    local function take_all(count, owner, timeout)
        local seen, fences, first, is_held = {}, {}, #granted, only_again
        for i = k, k + 2 * count - 2, 2 do
            if seen[keys[i]] then
                return redis.error_reply("ERR a key is named twice")
            end
            is_held = is_held or value_at(i)
            seen[keys[i]] = true
        end
        if is_held then
            return take_all_again(count, owner, timeout) or false
        end
        for i = k, k + 2 * count - 2, 2 do
            local fence = grant(keys[i], keys[i + 1], owner, timeout)
            if not fence then
                undo(first)
                return redis.error_reply(OTHER_TYPE)
            end
            fences[#fences + 1] = fence
        end
        return fences
    end

    -- J and K of a lock that has changed since it was KIND.
    local function run_changed(letter, value, owner, timeout)
        local is_its = value and (value == owner or (owner == "" and timeout == ""))
        if letter == "K" then
            if is_its then
                prolong(keys[k], timeout)
                confirm(keys[k + 1], value_at(k + 1), owner, timeout)
            end
            return is_its and 1 or 0
        elseif is_its and timeout == "" then
            return finish(keys[k], keys[k + 1])
        end
        return value and timeout == "" and redis.error_reply(NOT_OWNER) or 0
    end

    -- N and X.
    local function run_hold(letter, key, value, owner, third)
        local fence, has_many = argv[at + 3], value == SHARED or value == PERMITS
        if has_many and letter == "X" then
            return shares.leave(key, value, owner, fence, third)
        elseif has_many then
            return shares.extend(key, value, owner, third, fence)
        end
        local its_fence, _, its_session = fence_of(value_at(k + 1), owner)
        if value ~= owner or its_fence ~= tonumber(fence) then
            return 0
        elseif letter == "X" then
            return its_session == third and finish(key.lock, key.claim) or 0
        end
        local ttl_ms = call("PTTL", key.lock)
        if ttl_ms >= 0 and (third == "0" or ttl_ms < tonumber(third)) then
            prolong(key.lock, third)
            prolong(key.claim, third)
        end
        return 1
    end

    local function run_share(letter, value, owner, timeout)
        local key = {
            lock = keys[k], claim = keys[k + 1], holders = keys[k + 2], shares = keys[k + 3],
        }
        shares = shares or make_shares(stored_fence)
        if letter == "N" or letter == "X" then
            return run_hold(letter, key, value, owner, timeout)
        elseif letter == "H" then
            return shares.take(key, value, {
                owner = owner, timeout = timeout, kind = argv[at + 3], n = tonumber(argv[at + 4]),
                limit = argv[at + 5], is_again = argv[at + 6] == "1",
                reqid = reqid, session = session, only_again = only_again,
            })
        elseif value ~= SHARED and value ~= PERMITS then
            return run_changed(letter, value, owner, timeout)
        elseif letter == "J" then
            return shares.leave(key, value, owner, timeout)
        end
        return shares.extend(key, value, owner, timeout)
    end

    local function run_one(letter, owner, timeout)
        local lock, claim, value = keys[k], keys[k + 1], value_at(k)
        local has_many = value == SHARED or value == PERMITS
        if letter == "L" or letter == "R" then
            return take(letter, lock, claim, value, owner, timeout)
        elseif letter == "F" or letter == "E" then
            if has_many then
                return redis.status_reply("KIND")
            elseif letter == "F" and value and value ~= owner and owner ~= "" then
                return redis.error_reply(NOT_OWNER)
            elseif letter == "F" then
                return value and finish(lock, claim) or 0
            elseif value ~= owner then
                return 0
            end
            prolong(lock, timeout)
            confirm(claim, value_at(k + 1), owner, timeout)
            return 1
        elseif letter == "U" then
            return set(lock, claim, owner, timeout)
        elseif letter == "G" then
            local claim_value = string.match(value_at(k + 1) or "", "^%Z*")
            local is_its = value == owner and claim_value == timeout .. "-" .. owner
            return is_its and finish(lock, claim) or 0
        end
        return doomed[lock] and -2 or call("PTTL", lock) -- V
    end

    return function(letter, owner, timeout)
        local reply -- of another type is its set
        if letter == "Q" then
            reqid, at = argv[at + 1], at + 2
            letter, owner, timeout = argv[at], argv[at + 1], argv[at + 2]
        end
        if letter == "Y" then
            session, at = argv[at + 1], at + 2
            letter, owner, timeout = argv[at], argv[at + 1], argv[at + 2]
        end
        if letter == "S" then
            local count = redis.pcall("SCARD", keys[k])
            reply = type(count) == "table" and count
            at, k = at + 1, k + 1
            letter, owner, timeout = argv[at], argv[at + 1], argv[at + 2]
        end
        if letter == "A" then
            local count = tonumber(argv[at + 3])
            reply = reply or take_all(count, owner, timeout)
            at, k = at + 4, k + 2 * count
        elseif string.find("HJKNX", letter, 1, true) then
            reply = reply or run_share(letter, value_at(k), owner, timeout)
            at, k = at + (letter == "H" and 7 or 3), k + 4
            at = (letter == "N" or letter == "X") and at + 1 or at
        else
            reply = reply or run_one(letter, owner, timeout)
            at, k = at + 3, k + 2
        end
        reqid, session = "", ""
        return reply
    end
end

-- Journals of daemons that are no more: looked for when a daemon writes its first.
local function sweep_journal()
    local all, oldest = call("HGETALL", KEYS[2]), time_ms() - JOURNAL_MS
    for i = 1, #all, 2 do
        local written = string.match(all[i + 1], "^%d+%z(%d+)")
        local is_daemon = all[i] ~= "waiting"
        if is_daemon and (not written or tonumber(written) < oldest) then
            call("HDEL", KEYS[2], all[i])
        end
    end
end

-- Writes what has come of it all.
local function finish_batch()
    local names = {}
    for lock, claim in pairs(doomed) do
        names[#names + 1] = lock
        names[#names + 1] = claim
    end
    for from = 1, #names, 4000 do
        call("DEL", unpack(names, from, math.min(from + 3999, #names)))
    end
    if last_fence then
        call("SET", KEYS[1], last_fence_text)
    end
    if #granted > 0 then
        if not known then
            sweep_journal()
        end
        local head = argv[2] .. "\0" .. format("%.0f", time_ms()) .. "\0"
        call("HSET", KEYS[2], argv[1], head .. table.concat(granted, "\0"))
    end
    return replies
end
