-- place: where a free resource stands, in a pool with an order of its own. The list itself is in that
-- order, the best one first, so that Python programs take the best as well.
--   order: free resource -> rank * width + ticket; lower ranks come first, and within a rank whoever
--     came first has the lower ticket
-- It only says without a walk where one belongs; the list is the truth. What it says of others is
-- doubted each time, for Python programs take and put back without a word.
-- The script sets key.journal, key.traits, key.order.
-- include: pool/outcome.lua
local place = {
    MOST_DOUBTED = 1000, doubted = 0, -- in one script; then what comes stands behind the tail
    MOST_MOVED = 1000, moved = 0, -- by the sweep, in one script
    MOST_LATE = 100, -- at the tail
}

local function whole(text)
    return tonumber(string.match(text or "", "^%-?%d+")) or 0
end

-- Of each order the trait that makes the rank, and how. A width times the largest rank is a whole
-- number in a double. A score comes back by itself, so that a rank is of the time when it was made;
-- the sweep leaves it alone until it is off by more than the slack.
place.KINDS = {
    priority = {
        letter = "p", width = 4e12, slack = 0,
        rank = function(text)
            return -math.max(-1000, math.min(whole(text), 1000))
        end,
    },
    ["least-used"] = {
        letter = "u", width = 2 ^ 26, slack = 0,
        rank = function(text)
            return math.max(0, math.min(whole(text), 1e8))
        end,
    },
    score = {
        letter = "s", width = 4e12, slack = 50,
        rank = function(text)
            return 1000 - outcome.score_of(text)
        end,
    },
}

-- The order that is kept, nil where places need no hint (fifo, lifo, a key of another type: REPAIR
-- drops that).
function place.kind()
    read_rules()
    if place.is_known == nil then
        place.is_known = true
        local kind = place.KINDS[rule.order]
        if kind and not is_error(redis.pcall("ZCARD", key.order)) then
            place.kept = kind
        end
    end
    return place.kept
end

local function rank_of(kind, name)
    return kind.rank(trait.of(kind.letter, name))
end

-- Is that a position of this rank?
local function is_of(kind, position, rank)
    return position and math.abs(math.floor(position / kind.width) - rank) <= kind.slack
end

local function position_of(name)
    return tonumber(redis.call("ZSCORE", key.order, name) or nil)
end

-- The last one below this bound that is in the list, and its position; "" when it is none, nil when
-- that was not found.
local function last_below(bound)
    while place.doubted < place.MOST_DOUBTED do
        local found = redis.call("ZREVRANGEBYSCORE", key.order, bound, "-inf",
            "WITHSCORES", "LIMIT", 0, 1)
        local name = found[1] or ""
        if list.is_linked(name) then
            return name, tonumber(found[2])
        elseif name == "" then
            return nil
        end
        redis.call("ZREM", key.order, name)
        place.doubted = place.doubted + 1
    end
    return nil
end

-- Behind which one it comes, as the last of its rank. Its position is written.
local function find(kind, name)
    local from = rank_of(kind, name) * kind.width
    local before, last = last_below("(" .. plain(from + kind.width))
    if before then
        local ticket = last and last >= from and math.min(last - from + 1, kind.width - 1) or 0
        redis.call("ZADD", key.order, plain(from + ticket), name)
    end
    return before
end

-- Puts a name that is not in the list at its place: list.push_fault() has found nothing.
function list.push(name, expiry)
    local kind = place.kind()
    local before = kind and find(kind, name)
    if rule.order == "lifo" and list.is_linked("") then
        before = ""
    end
    list.link(name, before or list.tail, expiry)
end

function list.left(names)
    if place.kind() then
        call_each("ZREM", key.order, names)
    end
end

-- --- the sweep ----------------------------------------------------------------------------------

-- Does a free one stand wrongly, as far as the one before it tells? Also its position, if that is
-- to be kept: a Python program puts back behind the tail, and that is where those that have come
-- back just now belong within their rank.
local function is_wrong(kind, name)
    local position, rank = position_of(name), rank_of(kind, name)
    if not is_of(kind, position, rank) then
        return true
    end
    local prev = prev_of[name]
    local its_position = prev ~= "" and position_of(prev)
    if not its_position or its_position <= position then
        return false
    end
    local is_late = list.tail == name or math.floor(its_position / kind.width) == rank
    return true, not is_late and position or nil
end

-- Moves a free one that stands wrongly. Returns whether it did.
local function mend(kind, name)
    local wrong, position = is_wrong(kind, name)
    if not wrong or list.unlink_fault(name) then
        return false
    end
    list.allocate(name)
    if position then
        list.link(name, last_below("(" .. plain(position)) or list.tail, expiry_of[name])
    else
        list.push(name, expiry_of[name])
    end
    place.moved = place.moved + 1
    return true
end

-- What others have put behind the tail just now. Returns how many were moved.
function place.tend_tail()
    local kind, before = place.kind(), place.moved
    for _ = 1, kind and list.tail ~= "" and not list.push_fault() and place.MOST_LATE or 0 do
        if not mend(kind, list.tail) then
            break
        end
    end
    return place.moved - before
end

-- Those of these that are free and stand wrongly, and what stood behind them, go to their places.
-- Returns how many.
function place.tend(names)
    local kind, before = place.kind(), place.moved
    for i = 1, kind and not list.push_fault() and #names or 0 do
        local name = names[i]
        while place.moved < place.MOST_MOVED and name ~= "" and entry.is_free(entry.of(name)) do
            local next = next_of[name]
            if not mend(kind, name) then
                break
            end
            name = next
        end
    end
    return place.moved - before
end

-- Drops those of these that are not free.
function place.drop(names)
    local gone = {}
    entry.read(names)
    for i = 1, #names do
        if not entry.is_free(prev_of[names[i]]) then
            gone[#gone + 1] = names[i]
        end
    end
    call_each("ZREM", key.order, gone)
end

-- --- all at once --------------------------------------------------------------------------------

-- The ranks of these, and their positions (false: none).
local function look(kind, names)
    local ranks, positions = {}, {}
    for from = 1, #names, CHUNK do
        local last, fields = math.min(from + CHUNK - 1, #names), {}
        for i = from, last do
            fields[#fields + 1] = trait.field(kind.letter, names[i])
        end
        local texts = redis.call("HMGET", key.traits, unpack(fields))
        local scores = redis.call("ZMSCORE", key.order, unpack(names, from, last))
        for i = 1, #fields do
            ranks[#ranks + 1] = kind.rank(texts[i])
            positions[#positions + 1] = tonumber(scores[i] or nil) or false
        end
    end
    return ranks, positions
end

-- What is out of order in the whole free list, to be said with a name.
function place.check(names, say)
    local kind = place.kind()
    if not kind then
        return
    end
    local ranks, positions = look(kind, names)
    local last, is_met = -math.huge, {}
    for i = 1, #names do
        local position = positions[i]
        is_met[names[i]] = true
        if not is_of(kind, position, ranks[i]) then
            say("out of order, for its rank is not known yet:", names[i])
        elseif position < last then
            say("out of order, for a worse one stands before", names[i])
        end
        last = position or last
    end
    for _, name in ipairs(redis.call("ZRANGE", key.order, 0, -1)) do
        if not is_met[name] then
            say("in the order without being free:", name)
        end
    end
end

-- The free list as it should be, from one that may be out of order: equals stay as they are.
function place.sort(names)
    local kind, by_rank, ranks, sorted = place.kind(), {}, {}, {}
    if not kind then
        return names
    end
    local rank_at = look(kind, names)
    for i = 1, #names do
        local rank = rank_at[i]
        if not by_rank[rank] then
            by_rank[rank] = {}
            ranks[#ranks + 1] = rank
        end
        table.insert(by_rank[rank], names[i])
    end
    table.sort(ranks)
    for i = 1, #ranks do
        for _, name in ipairs(by_rank[ranks[i]]) do
            sorted[#sorted + 1] = name
        end
    end
    return sorted
end

-- Makes the positions those of the whole free list, which is sorted. Returns whether they were not.
function place.rebuild(names)
    local kind = place.kind()
    if not kind then
        return redis.call("DEL", key.order) == 1
    end
    local ranks, positions = look(kind, names)
    local is_right, last, scores = redis.call("ZCARD", key.order) == #names, -math.huge, {}
    for i = 1, #names do
        local from, position = ranks[i] * kind.width, positions[i] or -math.huge
        is_right = is_right and position > last
            and is_of(kind, position, ranks[i])
        last = position
        scores[2 * i] = names[i]
        scores[2 * i - 1] = i > 1 and ranks[i - 1] == ranks[i] and scores[2 * i - 3] + 1 or from
    end
    if not is_right then
        redis.call("DEL", key.order)
        for i = 1, #scores, 2 do
            scores[i] = plain(scores[i])
        end
        call_each("ZADD", key.order, scores)
    end
    return not is_right
end
