-- waiting: what those who wait ask for (part of batch).
-- include: pool/serve.lua
-- include: pool/data.lua
local waiting = {}

-- What was granted to it while it waited, as far as it still is; nil when nothing is. From here on it
-- is a grant of this batch.
local function fetch(id)
    local what, reply = wait.fetch(id), {}
    for resource, token in string.gmatch((what or "") .. "\0", "(%Z+)%z(%Z*)%z") do
        local n = #reply
        if token == "" then
            reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = resource, "", 0, -1
        elseif key.values({ resource })[1] == token then
            reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, key.fence_of(token)
            reply[n + 4] = redis.call("PTTL", key.lease(resource))
            grants.note(resource, reply[n + 3])
        end
    end
    return #reply > 0 and reply or nil
end

local function priority_of(ask)
    return tonumber(ask.options.P and ask.options.P[1] or 0)
end

-- Its place in the line, behind all others of its priority or with the ticket that it had. Written for
-- its daemon.
local function enter(id, ticket, ask, at)
    local fault = wait.open(ARGV[1])
    if fault then
        return fault
    end
    local request = { "", ARGV[3] }
    for i = at + 3, at + 11 do
        request[#request + 1] = ARGV[i]
    end
    local came_ms = ticket > 0 and math.min(ticket, clock()) or clock()
    request[12], request[13], request[14] = ask.holder, ask.more, plain(came_ms)
    local epoch, text = tonumber(wait.beat(ARGV[1])), table.concat(request, "\0")
    return { wait.enter(id, ticket, ask.reqid, text, priority_of(ask)), epoch }
end

-- arguments: W id ticket("": it asks for the first time; 0: none is known) ends_ms, then as malloc,
--   without its letter; holder: as before malloc
-- returns: as malloc; or [ticket, epoch]: it is in the line, until its daemon's epoch is another. The
-- same again at any time, with the ticket, gives what it was granted meanwhile, or its old place.
function waiting.ask(at, holder, more)
    local id, ticket = ARGV[at + 1], ARGV[at + 2]
    if ticket ~= "" then
        local given = fetch(id)
        if given then
            return data.with(given, more)
        end
        local place = redis.call("ZSCORE", key.waiters, id)
        if place then
            return { wait.ticket_of(tonumber(place)), tonumber(wait.beat(ARGV[1])) }
        end
    end
    local ask = malloc.ask(ARGV, at + 4, holder, more)
    ask.can_wait = true
    local given = serve.malloc(ask)
    if is_error(given) or #given > 0 then
        return data.with(given, more)
    end
    return enter(id, tonumber(ticket) or 0, ask, at)
end

-- Does this operation need the line from the start? Who asks for the first time may need it later.
function waiting.needs_line(at)
    local letter = ARGV[at]
    return letter == "E" or letter == "B" or (letter == "W" and ARGV[at + 2] ~= "")
end

-- arguments: E id how: t: its time is up; k: whoever asked is gone, but will ask again; g: gone for ever
-- returns: t: what was granted to it at the last moment, as malloc; k, g: how much that was
function waiting.leave(at, more)
    local id, how = ARGV[at + 1], ARGV[at + 2]
    wait.leave({ id }, { redis.call("HGET", key.waiting, id) })
    serve.seen_tail = nil -- what was kept for it is free
    if how == "t" then
        return data.with(fetch(id) or {}, more)
    end
    local what = wait.fetch(id)
    if what and how == "g" then
        serve.drop(what)
    end
    return what and 1 or 0
end

-- arguments: B hears(1|0: is what is published on its channel heard?)
-- returns: [epoch, ms until the next lease may be had(-1: none), id...]: who of this daemon has
-- something to fetch. It is filled by waiting.tell(), at the end of the batch.
function waiting.beat(at)
    local reply = { tonumber(wait.beat(ARGV[1], ARGV[at + 1])), -1 }
    serve.end_orphans()
    if not malloc.refill() then
        index.write()
    end
    waiting.beats = waiting.beats or {}
    waiting.beats[#waiting.beats + 1] = reply
    return reply
end

-- What is due and cannot be taken back yet is worth another look in a second; what a dead daemon was
-- granted comes back when it is known to be dead.
local function next_ms()
    if wait.count == 0 then
        return -1
    elseif serve.served >= serve.MOST_SERVED or wait.is_cut_short() then
        return 0
    end
    local score = redis.call("ZRANGE", key.index, 0, 0, "WITHSCORES")[2]
    local ms = (score and score ~= "inf" and tonumber(score) or math.huge) - clock()
    ms = math.min(ms < 0 and 1000 or ms + 1, wait.until_death(ARGV[1]))
    local paced_ms = pace.next_ms()
    ms = paced_ms > 0 and math.min(ms, paced_ms) or ms
    return ms < math.huge and ms or -1
end

function waiting.tell()
    for _, reply in ipairs(waiting.beats or {}) do
        reply[2] = next_ms()
        for _, id in ipairs(wait.grants_of(ARGV[1])) do
            reply[#reply + 1] = id
        end
        if serve.fault then
            reply[1], reply.err = nil, serve.fault.err
        end
    end
end
