--[[
  Finds the server that holds a key, or assigns the candidate. Two sessions that claim one key get one answer.
  A usable holder is left as it is, but that the entry now lives at least as long as a pending one.

  KEYS[1]  the entry
  ARGV[1]  candidate; empty: only look
  ARGV[2]  owner
  ARGV[3]  epoch
  ARGV[4]  how long a pending entry lives, in milliseconds
  ARGV[5]… names of the usable servers

  Result   'h' .. server      a usable server holds the key
           'c' .. displaced   now pending for the candidate; displaced is empty where nobody held it, or only a claim did
           'f' .. displaced   nobody usable holds it and there is no candidate; nothing was written
]]
local value = redis.call('GET', KEYS[1])
local holder = ''
if value then
  -- A value of another shape was written by hand and is a server's name.
  holder = string.match(value, '^(.*)|[^|]*|%d+|[poc]$') or value
  for i = 5, #ARGV do
    if ARGV[i] == holder then
      local left = redis.call('PTTL', KEYS[1])
      if left >= 0 and left < tonumber(ARGV[4]) then
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
      end
      return 'h' .. holder
    end
  end
end
if ARGV[1] == '' then
  return 'f' .. holder
end
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[2] .. '|' .. ARGV[3] .. '|p', 'PX', ARGV[4])
if value and string.match(value, '|p$') then
  holder = ''
end
return 'c' .. holder
