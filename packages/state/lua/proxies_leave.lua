--[[
  A proxy leaves. What another process of its name has written stays.

  KEYS[1]  the hash: proxy → words
  ARGV[1]  name of the proxy
  ARGV[2]  the word that tells this process from others of that name: instance=…

  Result   1 it is removed; 0 there was nothing of this process
]]
local words = redis.call('HGET', KEYS[1], ARGV[1])
if not words or not string.find(' ' .. words .. ' ', ' ' .. ARGV[2] .. ' ', 1, true) then
  return 0
end
return redis.call('HDEL', KEYS[1], ARGV[1])
