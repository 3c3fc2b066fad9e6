--[[
  Removes the entry of a session that is asked to leave its server, if the entry still names that session.

  KEYS[1]  the entry
  ARGV[1]  owner
  ARGV[2]  epoch

  Result   1 if it was removed, 0 if it was left alone
]]
local value = redis.call('GET', KEYS[1])
if not value then
  return 0
end
local owner, epoch = string.match(value, '|([^|]*)|(%d+)|[poc]$')
if owner ~= ARGV[1] or epoch ~= ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
