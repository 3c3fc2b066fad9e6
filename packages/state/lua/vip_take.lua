--[[
  Takes the lease of a virtual address, unless somebody else has renewed it lately.

  KEYS[1]  the lease: node, fencing number, when it was renewed (milliseconds of this Redis); node `-`: given back
  ARGV[1]  node
  ARGV[2]  the highest fencing number that this node has seen
  ARGV[3]  0 or 1: the parity of this node's numbers
  ARGV[4]  a lease that another node has renewed within so many milliseconds stands

  Result   'taken', fence         this node has it now, under a number above all before
           'fresh', fence, age    another one has it
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, fence, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+) (%d+)$')
fence = tonumber(fence) or 0
if fence >= 2 ^ 52 then
  -- Nobody counts to that, and beyond 2^53 there are no odd numbers: it was not written by a host.
  node, fence = nil, 0
end
if node and node ~= '-' and node ~= ARGV[1] then
  local age = now - tonumber(at)
  -- A stamp of the future: this Redis has another clock than the one before. Its holder renews it within an interval.
  if math.abs(age) < tonumber(ARGV[4]) then
    return { 'fresh', string.format('%.0f', fence), string.format('%.0f', math.max(age, 0)) }
  end
end
local next = math.max(fence, tonumber(ARGV[2])) + 1
if next % 2 ~= tonumber(ARGV[3]) then
  next = next + 1
end
redis.call('SET', KEYS[1], string.format('%s %.0f %.0f', ARGV[1], next, now))
return { 'taken', string.format('%.0f', next) }
