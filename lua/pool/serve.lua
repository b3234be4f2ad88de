-- serve: hands what is free to those who wait, by their priorities and in the order of their coming, or
-- by their owners' shares.
-- A request in the line: reserved NUL mode NUL ends_ms NUL how NUL ... as malloc has it, and behind that
-- the session's holder, further options (P: its priority), and when it came, in ms; ends_ms is how long
-- its holding can last at most, 0 when that is not known.
-- One that asks for many (ALL) keeps what comes free for it. Later ones are served before it only if
-- they surely end before it could be served: that instant is reckoned from the deadlines of leases, and
-- the earliest ever reckoned (reserved, in ms) holds, so that renewals cannot put it off for ever. One
-- that asks for more than the pool has keeps nothing.
-- The script sets key.journal and the keys that lease, binding and wait want.
-- include: pool/giveback.lua
-- include: pool/malloc.lua
-- include: wait.lua
-- include: pool/fair.lua
key.wake = string.match(key.pool, "^(.*)|[^|]*|pool$") .. "|wake|"

local serve = {
    MOST_SERVED = 1000, -- in one script
    MOST_KEPT = 100, -- so many that cannot be served yet are looked past
    MOST_PASSED = 1000, -- likewise of those for whom what is free is not good enough
    served = 0,
    is_kept = false, -- what is free is for somebody in the line
    seen_head = nil, seen_tail = nil, -- of the free list, when that was found out
    fault = nil, -- an error reply: why nobody can be served
    free_count = nil, -- how much is free at most
    lacking = {}, -- labels asked for -> somebody in the line wants more with these than is free
    arrivals = 0, -- of label, when that was found out
    is_full = {}, -- owners that hold as much as they may
}

-- Is there something that somebody could have? What is due counts.
local function has_free()
    if rule.paused or pace.left() < 1 then
        return false
    elseif list.head == "" and not serve.fault then
        local fault = malloc.refill() or list.push_fault()
        serve.fault = fault and refusal(fault)
    end
    return list.head ~= "" and not serve.fault
end

-- How many are free, at most, and how many are due: from counts alone.
local function count_free()
    if not serve.free_count then
        index.write()
        list.write()
        serve.total = redis.call("HLEN", key.pool)
        serve.due_count = redis.call("ZCOUNT", key.index, "-inf", clock())
        serve.free_count = serve.total - redis.call("ZCARD", key.index) + serve.due_count
    end
    return serve.free_count
end

-- When a request for so many could be served at the earliest, if nobody frees anything before its
-- deadline; at the latest what was reckoned earlier.
local function reserve(id, group, words, ask)
    local nth = math.max(serve.due_count + ask.count - serve.free_count - 1, 0)
    local score = redis.call("ZRANGE", key.index, nth, nth, "WITHSCORES")[2]
    local at = score and score ~= "inf" and tonumber(score) or math.huge
    local earlier = tonumber(words[1]) or math.huge
    if at < earlier then
        words[1] = plain(at)
        wait.note(id, group, table.concat(words, "\0"))
    end
    return math.min(at, earlier)
end

function serve.words_of(request)
    local words = {}
    for word in string.gmatch(request .. "\0", "(%Z*)%z") do
        words[#words + 1] = word
    end
    return words
end

-- Grants what was lent to one of the line, and to those who ask for the same.
local function grant(id, group, reply)
    local parts = {}
    for i = 1, #reply, 4 do
        parts[#parts + 1] = reply[i]
        parts[#parts + 1] = reply[i + 1]
    end
    local what, others = table.concat(parts, "\0"), wait.group_of(id, group)
    wait.grant(id, group, what)
    for i = 1, #others do
        local request = redis.call("HGET", key.waiting, others[i]) or ""
        local holder = serve.words_of(string.match(request, "%z(.*)$") or "")[12] or ""
        for k = 1, #parts - 1, 2 do
            note.join(parts[k], parts[k + 1], holder)
        end
        wait.grant(others[i], group, what)
    end
    local record = #others > 0 and redis.call("HGET", key.requests, group)
    if record then
        redis.call("HSET", key.requests, group, "1" .. string.sub(record, 2))
    end
end

-- Does somebody in the line lack what has these labels? Whoever wants the same waits, too, until more
-- comes free.
local function lacks(where)
    if serve.arrivals ~= label.arrivals then
        serve.lacking, serve.arrivals = {}, label.arrivals
    end
    return where and serve.lacking[table.concat(where, "\1")]
end

-- Does its owner hold so much that it cannot be served?
local function is_over(ask)
    if not rule.max_per_owner or malloc.is_shared then
        return false
    end
    local needed = malloc.needed(ask)
    local room = serve.is_full[ask.owner] and 0 or limit.room(ask, needed)
    serve.is_full[ask.owner] = room < 1
    return room < needed
end

-- Serves one of the line, if that can be; `kept_until`: until when what is free is for another. Returns
-- whether it was served; if not, until when it keeps what is free, nil when it does not; whether it is
-- passed over, for what is free is not good enough.
local function serve_one(id, group, request, kept_until)
    local words = serve.words_of(request)
    local ask = malloc.ask(words, 4, words[12] or "", words[13] or "")
    local ends_ms = tonumber(words[3])
    ask.is_in_line = true
    malloc.is_shared = words[2] == "shared"
    if lacks(ask.where) or is_over(ask) then
        return false, nil, true
    elseif kept_until and (ends_ms <= 0 or clock() + ends_ms > kept_until) then
        return false
    end
    local is_big = ask.how == "a" and ask.count > 1 and not ask.where
    if is_big and count_free() < ask.count then
        return false, ask.count <= serve.total and reserve(id, group, words, ask) or nil
    end
    local listed = #grants.list
    local reply = malloc.run(ask)
    for i = #grants.list, listed + 1, -1 do
        grants.list[i] = nil -- not this batch's: a recall must leave it alone
    end
    if is_error(reply) then
        serve.fault = reply
        return false
    elseif #reply > 0 then
        serve.free_count = serve.free_count and serve.free_count - #reply / 4
        grant(id, group, reply)
        return true
    elseif ask.where then
        serve.lacking[table.concat(ask.where, "\1")] = true
        return false, nil, true
    end
    return false, is_big and reserve(id, group, words, ask) or nil
end

-- Serves until nothing is free or nobody can be served; serve.is_kept says whether what is left is for
-- somebody in the line.
function serve.run()
    local was_shared, chunk, passed, kept, kept_until = malloc.is_shared, 1, 0, 0, nil
    local unfit = 0 -- so many are passed over
    serve.is_kept, serve.free_count = false, nil
    serve.lacking, serve.is_full = {}, {}
    read_rules()
    fair.open()
    if wait.order then
        fair.start()
    end
    if not grants.last_fence then
        grants.open()
    end
    while wait.count > 0 and has_free() do
        local ids, groups, requests, missing = wait.read(passed, chunk)
        if #ids == 0 or kept >= serve.MOST_KEPT or unfit >= serve.MOST_PASSED
            or serve.served >= serve.MOST_SERVED then
            serve.is_kept = serve.is_kept or #ids > 0 or wait.is_cut_short()
            break
        end
        passed = passed + missing
        for i = 1, #ids do
            if not wait.has_left[ids[i]] and has_free() then
                local is_served, keeps_until, is_unfit =
                    serve_one(ids[i], groups[i], requests[i], kept_until)
                passed = passed + (is_served and 0 or 1)
                kept = kept + ((is_served or is_unfit) and 0 or 1)
                unfit = unfit + (is_unfit and 1 or 0)
                serve.served = serve.served + (is_served and 1 or 0)
                kept_until = kept_until or keeps_until
            end
        end
        serve.is_kept = kept_until ~= nil
        chunk = math.min(chunk * 2, 64)
    end
    malloc.is_shared = was_shared
    serve.seen_head, serve.seen_tail = list.head, list.tail
end

-- The journal has a field as long as somebody waits: the scripts for plain operations look there.
function serve.mark(was_marked)
    if (wait.count > 0) ~= was_marked then
        if wait.count > 0 then
            redis.call("HSET", key.journal, "waiting", 1)
        else
            redis.call("HDEL", key.journal, "waiting")
        end
    end
end

-- Ends leases that were granted to somebody who will not fetch them.
function serve.drop(what)
    local parts = {}
    for part in string.gmatch(what .. "\0", "(%Z*)%z") do
        parts[#parts + 1] = part
    end
    for i = 1, #parts - 1, 2 do
        if giveback.lease(parts[i], parts[i + 1]) then
            value_of[parts[i]] = false
        end
    end
    giveback.finish()
end

-- Takes back what was granted to daemons that died before they could fetch it.
function serve.end_orphans()
    for _, what in ipairs(wait.orphans()) do
        serve.drop(what)
    end
end

-- Reply of a malloc: others that wait come first.
function serve.malloc(ask)
    if wait.count > 0 and (serve.seen_head ~= list.head or serve.seen_tail ~= list.tail) then
        serve.run()
    end
    return serve.fault
        or malloc.run(ask, wait.count > 0 and (serve.is_kept or lacks(ask.where)))
end

-- The end of a script that may have made something free, after all that it has written. With a key of
-- another type nobody is served: whoever waits there hears it from a batch.
function serve.finish()
    if redis.pcall("HEXISTS", key.journal, "waiting") ~= 1 or wait.open() then
        return
    end
    serve.run()
    index.write()
    list.write()
    grants.write_fence()
    serve.mark(true)
end
