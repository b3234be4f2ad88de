-- line: those who wait for locks. All of them stand in one line (see wait), and those of each lock in
-- an order of its own, by the same tickets:
--   lines  zset  <lock's key> NUL <ticket, 16 digits> NUL <id>, all of score 0
-- What is noted of each: kind(x: alone; s: with others who ask so; p: permits) NUL lock NUL lock ...
-- Nobody is granted anything here: who is the first for a lock that may be had is woken, asks again, and
-- then gets it. Who wants several locks has its place at each of them.
-- include: lock/line_keys.lua
-- include: lock/hold.lua
-- include: wait.lua
local line = {
    touched = {}, -- locks that somebody may have by now
    own = nil, own_ids = nil, -- a daemon, and the list where its ids are put that are to be woken
    MOST_TOGETHER = 16, -- that are woken at once: those of kind s
}

local function member_of(lock, ticket, id)
    return lock .. "\0" .. format("%016.0f", ticket) .. "\0" .. id
end

-- Of what wait has noted: group, kind, locks.
local function words_of(record)
    local words = {}
    for word in string.gmatch((record or "") .. "\0", "(%Z*)%z") do
        words[#words + 1] = word
    end
    return words
end

function line.enter(id, ticket, group, kind, locks)
    local members, request = {}, kind .. "\0" .. table.concat(locks, "\0")
    ticket = wait.enter(id, ticket, group, request)
    for i = 1, #locks do
        members[2 * i - 1], members[2 * i] = "0", member_of(locks[i], ticket, id)
    end
    call_each("ZADD", key.lines, members)
    return ticket
end

-- Of those who wait for the same request; nil: nobody does.
function line.ticket_of(group)
    local first = wait.group_of("", group)[1]
    return first and tonumber(call("ZSCORE", key.waiters, first))
end

function line.leave(id)
    local record, ticket = call("HGET", key.waiting, id), call("ZSCORE", key.waiters, id)
    local words, members = words_of(record), {}
    for i = 3, ticket and #words or 0 do
        members[#members + 1] = member_of(words[i], ticket, id)
        line.touched[words[i]] = true
    end
    call_each("ZREM", key.lines, members)
    wait.leave({ id }, { record })
end

-- Who has a place at this lock, but not among those who wait, is of a past that somebody deleted: its
-- daemon is to ask for all again.
local function drop(member, id)
    call("ZREM", key.lines, member)
    call("HDEL", key.daemons, wait.daemon_of(id))
    wait.is_alive[wait.daemon_of(id)] = false
end

-- The first living ones of this lock, up to so many: of each id, ticket, group, kind.
function line.first(lock, most)
    local found, from = {}, 0
    while #found < most and wait.dead < wait.MOST_DEAD do
        local members = call("ZRANGEBYLEX", key.lines, "[" .. lock .. "\0", "(" .. lock .. "\1",
            "LIMIT", from, most)
        if #members == 0 then
            break
        end
        for _, member in ipairs(members) do
            local ticket, id = string.match(member, "^%Z*%z(%d+)%z(.*)$")
            local record = call("HGET", key.waiting, id)
            local daemon = wait.daemon_of(id)
            if not record then
                drop(member, id)
            elseif not wait.lives(daemon) then
                line.leave(id)
                wait.dead = wait.dead + 1
            elseif wait.lacks(daemon) then
                from, wait.dead = from + 1, wait.dead + 1
            else
                local words = words_of(record)
                from = from + 1
                found[#found + 1] = {
                    id = id, ticket = tonumber(ticket), group = words[1], kind = words[2],
                }
            end
        end
    end
    return found
end

-- Does somebody living stand before it at one of these locks?
function line.is_behind(locks, id, group, ticket)
    for _, lock in ipairs(wait.count > 0 and locks or {}) do
        local first = line.first(lock, 1)[1]
        if first and first.id ~= id and first.ticket < ticket
            and (group == "" or first.group ~= group) then
            return true
        end
    end
    return false
end

function line.wake(id)
    local daemon = wait.daemon_of(id)
    if daemon == line.own then
        line.own_ids[#line.own_ids + 1] = id
    else
        redis.pcall("PUBLISH", key.wake .. daemon, id)
    end
end

-- Wakes who is first for a lock that was touched, unless one who wants it alone has it.
local function wake_first(lock)
    local value = now_of[lock]
    if value and value ~= SHARED and value ~= PERMITS then
        return
    end
    local heads = line.first(lock, line.MOST_TOGETHER)
    for i, head in ipairs(heads) do
        if i > 1 and (head.kind ~= "s" or heads[i - 1].kind ~= "s") then
            break
        end
        line.wake(head.id)
    end
end

function line.wake_touched()
    while wait.count > 0 and next(line.touched) do
        local touched = line.touched
        line.touched = {} -- the dead that are found touch others
        for lock in pairs(touched) do
            wake_first(lock)
        end
    end
end

-- The journal has a field as long as somebody waits: the scripts for plain operations look there.
function line.mark(was_waited)
    if wait.count > 0 and not was_waited then
        call("HSET", key.journal, "waiting", 1)
    elseif wait.count == 0 and was_waited then
        call("HDEL", key.journal, "waiting")
        call("DEL", key.lines, key.daemons)
    end
end

-- The end of a script of its own that may have ended locks.
function line.finish()
    if redis.pcall("HEXISTS", key.journal, "waiting") == 1 and not wait.open() then
        line.wake_touched()
        line.mark(true)
    end
end
