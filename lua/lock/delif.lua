-- delif: deletes a value when a comparison with it holds.
-- keys: lock claim set
-- args: op(> < >= <= == !=) value
-- returns: 1 (also when there was none), 0; an error when the present value is no number
-- include: lock/compare.lua
call("SCARD", KEYS[3]) -- of the right type?
local holds = compare(ARGV[1], tonumber(ARGV[2]), call("GET", KEYS[1]))
if holds == true then
    call("DEL", KEYS[1], KEYS[2])
    return 1
end
return holds or 0
