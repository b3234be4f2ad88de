-- scale: what is known of the programs that make a pool larger and smaller, one of which runs at a time.
--   scaling: the run that goes on, until its time is over at the latest: "<daemon> <number>"
--   scale: run -> it, as long as nobody has said how it ended; what (u: larger, d: smaller), at (ms),
--     count (how many came or went), error ("": it went well) of the last one; u_next, d_next -> when
--     the next may run, in ms; u_fails, d_fails -> how many failed in a row; ended -> the last run whose
--     end was told
-- What is to go is aside, so that nobody gets it meanwhile; should nobody tell what became of it, it
-- comes back by its deadline.
-- The script sets the keys that lease wants, key.scaling and key.scale.
-- include: pool/lease.lua
local scale = {}

-- Takes what is free out of the free list, until then; list.unlink_fault() has found nothing.
function scale.put_aside(resource, until_ms)
    list.allocate(resource)
    aside.put(resource, aside.DISPOSED, until_ms, "")
end

-- It is free again, if it is still aside; list.push_fault() has found nothing.
function scale.bring_back(resource)
    local kind, is_pending = aside.kind_of(resource)
    if kind ~= aside.DISPOSED or is_pending or entry.of(resource) ~= ALLOCATED then
        return
    end
    redis.call("DEL", key.lease(resource))
    value_of[resource] = false
    index.set(resource, false)
    list.take_back(resource, expiry_of[resource])
end
