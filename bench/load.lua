-- Requests for wrk, and its result as one line of JSON.
--
--   wrk … -s load.lua URL -- METHOD [BODY]
--   wrk … -s load.lua URL -- reports IDS PER_REQUEST
--
-- reports: with one thread; every call id in the file IDS, one a line, is reported as completed once,
-- PER_REQUEST of them per request.

local function lines_of(path)
	local lines = {}
	for line in io.lines(path) do
		lines[#lines + 1] = line
	end
	return lines
end

local function report(id)
	return '{"call_id":"' .. id .. '","status":"completed","duration_seconds":42}'
end

local function reports_of(ids, per_request)
	local next_id = 0 -- wrk looks at a first request and does not send it
	return function()
		if next_id == 0 or next_id > #ids then
			next_id = math.max(next_id, 1)
			return wrk.format("GET", "/healthz")
		end
		local id = ids[next_id]
		next_id = next_id + per_request
		if per_request == 1 then
			return wrk.format("POST", "/api/public/v1/calls/" .. id .. "/status", nil,
				'{"status":"completed","duration_seconds":42}')
		end
		local reports = {}
		for i = next_id - per_request, math.min(next_id - 1, #ids) do
			reports[#reports + 1] = report(ids[i])
		end
		return wrk.format("POST", "/api/public/v1/calls/status", nil,
			'{"reports":[' .. table.concat(reports, ",") .. "]}")
	end
end

function init(args)
	wrk.headers["Content-Type"] = "application/json"
	if args[1] == "reports" then
		request = reports_of(lines_of(args[2]), tonumber(args[3]))
	else
		wrk.method, wrk.body = args[1], args[2]
	end
end

function done(summary, latency, requests)
	local errors = summary.errors
	io.write(string.format(
		'{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
		latency:percentile(99) / 1e3,
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
