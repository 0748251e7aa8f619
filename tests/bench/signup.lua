-- wrk: each request signs up a new address.
local n, mark = 0, tostring(os.time()) .. tostring(math.random(1e9))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function setup(thread) thread:set("id", tostring(math.random(1e9)) .. tostring({}):sub(8)) end
function request()
  n = n + 1
  return wrk.format("POST", "/api/v1/auth/signup", nil, string.format(
    '{"email":"b.%s.%s.%d@example.com","password":"correct horse battery","display_name":"B"}', mark, id, n))
end
