-- shares: locks with several holders: SHARED ones, and PERMITS n OF m. The lock's value says which,
-- for whoever sees only that; it ends with the last holder. What follows counts only while the
-- lock has this value:
--   holders  zset  owner -> deadline in ms (+inf: for ever)
--   shares   hash  owner -> <fence><mark><n>, and as behind the owner of a claim; "" -> <permits in use> <m>; m 0: no limit
-- Functions are made when they are first needed: most batches do without.
-- include: lock/hold.lua
local function make_shares(stored_fence)
    local shares = {}

    local function split(share)
        local fence, mark, n, request, session =
            string.match(share or "", "^(%d+)([-+])(%d+)%z?(%Z*)%z?(%Z*)$")
        return fence, mark, tonumber(n), request, session
    end

    -- Permits in use and their limit, without those whose time is over. Nil when they cannot be
    -- told: somebody else wrote the lock's value; an error reply when a key has another type.
    local function read(key)
        local head = redis.pcall("HGET", key.shares, "")
        local due = redis.pcall("ZRANGEBYSCORE", key.holders, "-inf", time_ms())
        if type(head) == "table" or due.err then
            return nil, nil, redis.error_reply(OTHER_TYPE)
        end
        local used, limit = string.match(head or "", "^(%d+) (%d+)$")
        used = tonumber(used)
        for i = 1, used and #due or 0 do
            local _, _, n = split(call("HGET", key.shares, due[i]))
            used = used - (n or 0)
            call("HDEL", key.shares, due[i])
            call("ZREM", key.holders, due[i])
        end
        return used, limit
    end

    -- Writes what is in use; the lock lasts as long as its last holder.
    local function write(key, value, used, limit)
        local latest = call("ZREVRANGE", key.holders, 0, 0, "WITHSCORES")[2]
        if not latest then
            call("DEL", key.lock, key.holders, key.shares)
            now_of[key.lock] = false
            return
        end
        call("HSET", key.shares, "", format("%.0f %s", used, limit))
        if latest == "inf" then
            call("SET", key.lock, value)
            call("PERSIST", key.holders)
            call("PERSIST", key.shares)
        else
            call("SET", key.lock, value, "PXAT", latest)
            call("PEXPIREAT", key.holders, latest)
            call("PEXPIREAT", key.shares, latest)
        end
        now_of[key.lock] = value
        doomed[key.lock] = nil
    end

    local function set_deadline(key, owner, timeout)
        local deadline = timeout == "0" and "+inf" or format("%.0f", time_ms() + timeout)
        call("ZADD", key.holders, deadline, owner)
    end

    -- What is in use where the lock has a value, 0 where it is free and what is noted is of the past.
    local function open(key, value, ask)
        if value then
            return read(key)
        elseif not doomed[key.lock] and call("EXISTS", key.lock) == 1 then
            return nil, nil, redis.error_reply(OTHER_TYPE)
        end
        -- A DEL of nothing would count as a write, after which nothing is refused for want of memory.
        if call("EXISTS", key.holders, key.shares, key.claim) > 0 then
            call("DEL", key.holders, key.shares, key.claim)
            now_of[key.claim] = false
        end
        return 0, ask.limit
    end

    -- ask: owner, timeout, kind, n, limit, is_again (a holder gets his share again, with n anew),
    -- reqid (likewise, if it is the one that got it), session (that has it then), only_again (nobody
    -- else gets one).
    -- The fence; false when there is no room.
    function shares.take(key, value, ask)
        if value and value ~= ask.kind then
            return false
        end
        local used, limit, fault = open(key, value, ask)
        if fault or not used then
            return fault or false
        elseif used > 0 and limit ~= ask.limit then
            return redis.error_reply(format(
                "ERR OF %s does not fit: permits of this lock are held OF %s", ask.limit, limit))
        end
        local fence, _, n, its_request = split(call("HGET", key.shares, ask.owner))
        local is_again = ask.is_again or (ask.reqid ~= "" and ask.reqid == its_request)
        if (fence and not is_again) or (not fence and ask.only_again) then
            return false
        end
        used = used - (n or 0) + ask.n
        if limit ~= "0" and used > tonumber(limit) then
            return false
        end
        local mark = fence and "+" or "-"
        if not fence then
            local _
            _, fence = new_fence(stored_fence)
            for _, part in ipairs({ "S", key.lock, key.holders, key.shares, ask.owner, fence }) do
                granted[#granted + 1] = part
            end
        end
        local share = fence .. mark .. format("%.0f", ask.n)
        call("HSET", key.shares, ask.owner, share .. tail_of(its_request or ask.reqid, ask.session))
        set_deadline(key, ask.owner, ask.timeout)
        write(key, ask.kind, used, limit)
        return tonumber(fence)
    end

    -- Ends what an owner has; only_fence: only what was granted with it ("": all the same) and not
    -- confirmed since, or what this session has. 1, 0, NOTOWNER.
    function shares.leave(key, value, owner, only_fence, only_session)
        if owner == "" then
            call("DEL", key.lock, key.holders, key.shares)
            now_of[key.lock] = false
            return value and 1 or 0
        end
        local used, limit, fault = read(key)
        local fence, mark, n, _, session = split(used and call("HGET", key.shares, owner))
        if fault or not fence then
            return fault or redis.error_reply(NOT_OWNER)
        elseif only_fence ~= "" and only_fence ~= fence then
            return 0
        elseif only_session and only_session ~= session then
            return 0
        elseif only_fence ~= "" and not only_session and mark ~= "-" then
            return 0
        end
        call("HDEL", key.shares, owner)
        call("ZREM", key.holders, owner)
        write(key, value, used - n, limit)
        return 1
    end

    -- Gives it a new deadline; fence: what was granted with it lasts so long or longer. 1, 0.
    function shares.extend(key, value, owner, timeout, only_fence)
        local used, limit, fault = read(key)
        local fence, _, n, request, session = split(used and call("HGET", key.shares, owner))
        if fault or not fence or (only_fence and only_fence ~= fence) then
            return fault or 0
        end
        local share = fence .. "+" .. format("%.0f", n)
        call("HSET", key.shares, owner, share .. tail_of(request, session))
        local deadline = only_fence and call("ZSCORE", key.holders, owner)
        if not deadline or (tonumber(deadline) or math.huge) < time_ms() + timeout then
            set_deadline(key, owner, timeout)
        end
        write(key, value, used, limit)
        return 1
    end

    return shares
end
