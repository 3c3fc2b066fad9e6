--[[
  Pins a key to the server that accepted its client, whatever stood there before.

  KEYS[1]  the entry
  ARGV[1]  the new value
  ARGV[2]  how long a pinned entry lives without renewal, in milliseconds

  Result   1
]]
-- SET alone would replace a key of another type, which is nobody's entry: GET fails on it with WRONGTYPE.
redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
