-- outcome: what holders say of a resource when they give it back: ok, slow or fail.
--   trait s: "<score> <failures in a row> <ms of the last outcome> <how often it has tripped in a row>"
-- The score is 1000 less its badness. Each outcome moves the badness by a share of what it lacks to the
-- worst (fail a half, slow a fifth) or of itself (ok: a quarter of it goes), and it halves by itself in
-- each `half_life`.
-- The breaker: after `breaker` failures in a row the resource is aside for `breaker_rest`, twice as long
-- each time, up to 16 times that. Then it can be had again, and its next outcome decides.
-- include: pool/aside.lua
local outcome = { HALF_LIFE_MS = 300000, REST_MS = 60000, MOST_REST = 16 }

-- Score, failures, ms, trips; those of one that nobody has said anything of.
local function split(text)
    local score, fails, at_ms, trips = string.match(text or "", "^(%d+) (%d+) (%d+) (%d+)$")
    return tonumber(score) or 1000, tonumber(fails) or 0, tonumber(at_ms) or 0, tonumber(trips) or 0
end

function outcome.of(resource)
    return split(trait.of("s", resource))
end

-- The score as it is now, from its trait.
function outcome.score_of(text)
    local score, _, at_ms = split(text)
    local passed_ms = math.max(clock() - at_ms, 0)
    local badness = (1000 - score) * 0.5 ^ (passed_ms / (rule.half_life or outcome.HALF_LIFE_MS))
    return math.floor(1000 - badness + 0.5)
end

function outcome.score(resource)
    return outcome.score_of(trait.of("s", resource))
end

local function moved(score, word)
    local badness = 1000 - score
    if word == "fail" then
        badness = badness + (1000 - badness) / 2
    elseif word == "slow" then
        badness = badness + (1000 - badness) / 5
    else
        badness = badness * 3 / 4
    end
    return math.floor(1000 - badness + 0.5)
end

local function write(resource, score, fails, trips)
    trait.set("s", resource,
        plain(score) .. " " .. plain(fails) .. " " .. plain(clock()) .. " " .. plain(trips))
end

-- It is aside when it comes back, and so are the units of its resource that others have; those that are
-- free are aside at once. The list may be broken: then what cannot be taken out stays where it is.
local function trip(name, until_ms, why)
    aside.mark(name, aside.TRIPPED, until_ms, why)
    local others = slot.is_used and slot.names((slot.split(name))) or {}
    slot.read_values(others)
    for _, other in ipairs(others) do
        local prev = entry.of(other)
        local is_there = prev ~= ABSENT and not aside.kind_of(other)
        if is_there and key.is_token(value_of[other]) then
            aside.mark(other, aside.TRIPPED, until_ms, why)
        elseif is_there and entry.is_free(prev) and not value_of[other]
            and not list.unlink_fault(other) then
            list.allocate(other)
            aside.put(other, aside.TRIPPED, until_ms, why)
        end
    end
end

-- Its lease ends with this outcome.
function outcome.note(resource, word)
    local _, fails, _, trips = outcome.of(resource)
    local score = moved(outcome.score(resource), word)
    if word ~= "fail" then
        write(resource, score, 0, 0)
        return
    end
    fails = fails + 1
    local is_tripping = rule.breaker and (fails >= rule.breaker or trips > 0)
    if is_tripping and not aside.kind_of(resource) then
        local times = math.min(2 ^ trips, outcome.MOST_REST)
        local rest_ms = (rule.breaker_rest or outcome.REST_MS) * times
        trip(resource, clock() + rest_ms, plain(fails) .. " failures in a row")
        trips = trips + 1
    end
    write(resource, score, fails, trips)
end

-- What the breaker says: "closed", "open" (it rests), "half-open" (its next outcome decides).
function outcome.breaker(resource)
    local _, _, _, trips = outcome.of(resource)
    if aside.kind_of(resource) == aside.TRIPPED then
        return "open"
    end
    return trips > 0 and "half-open" or "closed"
end
