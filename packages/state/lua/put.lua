--[[
  Gives a key its home by hand: it cools as if its client had just left.

  KEYS[1]  the entry
  ARGV[1]  server
  ARGV[2]  how long the entry lives, in milliseconds
  ARGV[3]  '1': whatever stands there; '0': not over the pinned or pending entry of a session

  Result   1 if it was written, 0 if a session's entry was left alone
]]
local value = redis.call('GET', KEYS[1])
if value and ARGV[3] == '0' and string.match(value, '|[^|]*|%d+|[po]$') then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. '||0|c', 'PX', ARGV[2])
return 1
