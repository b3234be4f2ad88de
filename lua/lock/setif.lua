-- setif: sets a value when its comparison with the present one holds.
-- keys: lock claim set
-- args: op(> < >= <= == !=) value new_value timeout_ms("0": for ever)
-- returns: 1, 0; an error when the present value is no number
-- include: lock/compare.lua
call("SCARD", KEYS[3]) -- of the right type?
local holds = compare(ARGV[1], tonumber(ARGV[2]), call("GET", KEYS[1]))
if holds == true then
    put(KEYS[1], ARGV[3], ARGV[4])
    call("DEL", KEYS[2])
    return 1
end
return holds or 0
