-- apart: one resource is set aside, or what set it aside ends. The script has opened list and aside, and
-- read the entry: it is in the pool.
-- include: pool/lease.lua
local apart = {}

-- Outside of the list, without a lease: it leaves, or is aside from now on.
local function place(name, kind, until_ms, why)
    if kind == aside.LEAVING then
        list.remove(name)
        index.set(name, false)
    else
        aside.put(name, kind, until_ms, why)
    end
end

-- Is it aside for a reason that this one does not replace? What a person says holds for probes, too.
local function is_kept(its_kind, kind)
    return kind == aside.ILL and its_kind and its_kind ~= aside.ILL and its_kind ~= aside.RESTING
end

-- value: of its lease key. At once when it is free, when it comes back when it is leased. Nil; else the
-- fault that is in the way.
function apart.set(name, value, kind, until_ms, why)
    local its_kind, is_pending = aside.kind_of(name)
    if key.is_token(value) then
        if not (is_pending and is_kept(its_kind, kind)) then
            aside.mark(name, kind, until_ms, why)
        end
        return nil
    elseif is_kept(its_kind, kind) and value then
        return nil
    end
    if prev_of[name] ~= ALLOCATED then
        local fault = list.unlink_fault(name)
        if fault then
            return fault
        end
        list.allocate(name)
    end
    if value then
        aside.stop(name)
    end
    place(name, kind, until_ms, why)
    return nil
end

-- Returns whether there was something of this kind (nil: of any) to end. list.push_fault() has found
-- nothing.
function apart.restore(name, value, wanted)
    local kind, is_pending = aside.kind_of(name)
    if not kind and value == key.UNHEALTHY then
        kind = aside.QUARANTINED -- by a Python program
    end
    if not kind or (wanted and wanted ~= kind) then
        return false
    elseif is_pending then
        aside.forget(name)
        return true
    elseif not value or key.is_token(value) then
        return false -- its time is over, or it is stale: a collection sees to it
    end
    if kind == aside.CLAIMED then
        aside.end_cleaning(name)
    end
    redis.call("DEL", key.lease(name))
    value_of[name] = false
    index.set(name, false)
    if prev_of[name] == ALLOCATED then
        list.take_back(name, expiry_of[name])
    end
    return true
end
