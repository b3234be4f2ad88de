-- batch: goes over the operations of a batch of locks, in the order given; those of who waits, too.
-- keys: counter journal waiters waiting lines daemons
-- behind them those of the operations: lock claim; of H J K N X: lock claim holders shares; of A: lock claim
-- of each; of B: lock claim holders shares of each
-- args: daemon sequence, then the operations, each a letter and its args:
--   L owner timeout_ms    takes the lock: its fence; nil when it is held
--   R owner timeout_ms    likewise; its owner gets it again: the same fence, the time anew
--   U owner timeout_ms    sets the lock, whoever holds it: OK
--   E owner timeout_ms    gives it a new deadline: 1; 0 when the owner does not hold it; KIND
--   F owner ""            ends it (owner "": whoever holds it): 1; 0 when it is free; NOTOWNER; KIND
--   G owner fence         ends what was granted with this fence and not confirmed since: 1; 0
--   V "" ""               looks: ttl_ms(-1: permanent, -2: free)
--   A owner timeout_ms n  takes n locks or none: an array of fences; nil
--   H owner timeout_ms kind n limit again(1|0)  takes a share: its fence; nil when there is no room
--   J owner fence, K owner timeout_ms           as F (and G) and E, of a lock with several holders
--   N owner timeout_ms fence  of whichever kind, what was granted with this fence lasts so long, or
--                         longer: 1; 0
--   X owner session fence likewise, ends it, if it is this session's: 1; 0
--   S                     before one of these, with a key of its own: its lock is one of this set
--   Q reqid               before L, A, H, and before Y and S: who asked with it before gets the same again
--   Y session             before L, R, A, H, and before S: this session has it from then on, without it
--                         none does
--   W id ticket("": it asks for the first time; 0: none is known) reqid   before L, R, A, H, and before
--                         Y and S: [1, what that answers]; or, where that is nil, [0, ticket, epoch]: it is in
--                         the line now, until its daemon's epoch is another
--   D id                  leaves the line: 0
--   B hears(1|0) n        its daemon's sign of life, with n locks that are waited for there: [epoch, ms
--                         until one of them may be had(-1: not known), id of who is to ask again...]
-- KIND: the lock has several holders; J or K says the same of such a one. Times of "0" are for ever.
-- Who does not wait never comes before those who do.
-- returns: one element an operation; or error STALE for the whole when the journal has this sequence
-- already (nothing done)
-- include: lock/run.lua
-- include: lock/line.lua
local fault = open_journal() or wait.open(argv[1])
if fault then
    return fault
end
read_values(7)
run_other = make_run_other()

-- The operation at hand: its letter and the place of that, its locks, the place of its first key.
local function peek()
    local i, first, locks = at, k, {}
    i = argv[i] == "Q" and i + 2 or i
    i = argv[i] == "Y" and i + 2 or i
    if argv[i] == "S" then
        i, first = i + 1, first + 1
    end
    for place = first, first + (argv[i] == "A" and 2 * tonumber(argv[i + 3]) - 2 or 0), 2 do
        locks[#locks + 1] = keys[place]
    end
    return { letter = argv[i], at = i, locks = locks, first = first }
end

-- Runs the operation at hand, as peek() has told it, for one that has this place in the line (id "":
-- none).
local function run_for(op, id, group, ticket)
    local is_single = op.letter == "L" or op.letter == "R"
    local is_held = is_single and value_at(op.first) -- then no place matters
    only_again = not is_held and line.is_behind(op.locks, id, group, ticket)
    local reply = run_other(argv[at], argv[at + 1], argv[at + 2])
    only_again = false
    if op.letter == "H" and reply then
        line.touched[op.locks[1]] = true -- there may be room for the next one
    end
    return reply
end

local TAKES = { L = true, R = true, A = true, H = true }
local ENDS = { F = true, G = true, J = true, X = true }

local function run()
    local op = peek()
    if ENDS[op.letter] then
        line.touched[op.locks[1]] = true
    end
    if TAKES[op.letter] then
        return run_for(op, "", "", math.huge)
    end
    return run_other(argv[at], argv[at + 1], argv[at + 2])
end

local function ask()
    local id, ticket, group = argv[at + 1], argv[at + 2], argv[at + 3]
    at, reqid = at + 4, group
    local op = peek()
    local kind = op.letter ~= "H" and "x" or argv[op.at + 3] == SHARED and "s" or "p"
    local place = ticket ~= "" and call("ZSCORE", key.waiters, id) or nil
    local own_ticket = tonumber(place or ticket) or 0
    local reply = run_for(op, id, group, own_ticket > 0 and own_ticket or math.huge)
    if reply == false then
        if not place then
            place = line.enter(id, line.ticket_of(group) or own_ticket, group, kind, op.locks)
        end
        return { 0, tonumber(place), tonumber(wait.beat(argv[1])) }
    end
    if place then
        line.leave(id)
    end
    for _, other in ipairs(wait.group_of(id, group)) do
        line.wake(other)
    end
    return is_error(reply) and reply or { 1, reply }
end

-- When a lock may be had, in ms; nil: that is not known. One that can be had now is touched.
local function look(place)
    local lock, value = keys[place], value_at(place)
    local ms
    if value == SHARED or value == PERMITS then
        local first = redis.pcall("ZRANGE", keys[place + 2], 0, 0, "WITHSCORES")
        ms = first[2] and tonumber(first[2]) - time_ms()
    elseif value then
        ms = call("PTTL", lock)
        ms = ms >= 0 and ms + 1
    end
    if not value or (ms and ms <= 0) then
        line.touched[lock] = true
        return nil
    end
    return ms and ms < math.huge and ms or nil
end

local function beat()
    local next_ms = math.huge
    local reply = { tonumber(wait.beat(argv[1], argv[at + 1])), -1 }
    for _ = 1, tonumber(argv[at + 2]) do
        next_ms = math.min(next_ms, look(k) or math.huge)
        k = k + 4
    end
    reply[2] = next_ms < math.huge and next_ms or -1
    at = at + 3
    line.own, line.own_ids = argv[1], reply
    return reply
end

while argv[at] do
    local letter = argv[at]
    local reply
    if letter == "W" then
        reply = ask()
    elseif letter == "D" then
        line.leave(argv[at + 1])
        at, reply = at + 2, 0
    elseif letter == "B" then
        reply = beat()
    else
        reply = run()
    end
    replies[#replies + 1] = reply
end
line.wake_touched()
line.mark(is_waited)
return finish_batch()
