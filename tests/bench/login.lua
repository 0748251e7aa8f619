-- wrk: logs in to the one account that tools/bench signed up for this.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  return wrk.format("POST", "/api/v1/auth/login", nil,
    '{"email":"bench.login@example.com","password":"correct horse battery"}')
end
