// The computations of the dashboard without a browser: weeks, times, words, texts. Prints TAP.
//     node units.mjs BUNDLE ENUMS: base/ of the dashboard as one module, and the enums of docs/openapi.yaml as JSON

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

// The parts of a browser that the modules need while they load.
const store = new Map()
Object.assign(globalThis, {
	localStorage: { getItem: name => store.get(name) ?? null, setItem: (name, value) => store.set(name, value) },
	document: { documentElement: { dataset: {} } },
})
const { week, time, words, text } = await import(pathToFileURL(process.argv[2]))
const enums = JSON.parse(readFileSync(process.argv[3], 'utf8'))

const tests = {
	'a week is what the rules say for every pair of start and end'() {
		const times = ['00:00', '00:30', '09:00', '12:00', '17:30', '23:30', '24:00']
		for (const start of times) {
			for (const end of times) {
				for (const day of [1, 6, 7]) {
					const found = week.weekOf({ start_time: start, end_time: end, working_days: [day] })
					for (let at = 0; at < 7 * 1440; at += 30)
						assert.equal(isOpen(found, at), mayCall(start, end, day, at), `${start}-${end} on ${day} at ${at}`)
				}
			}
		}
	},
	'windows that touch or overlap are one bar'() {
		const windows = [{ days: [1], start: '09:00', end: '12:00' }, { days: [1], start: '12:00', end: '14:00' }, { days: [1], start: '13:00', end: '15:00' }]
		assert.deepEqual(week.weekOf({ start_time: null, end_time: null, working_days: [1], calling_windows: windows })[0], [{ from: 540, until: 900 }])
	},
	'what goes over midnight belongs to the day on which it opens'() {
		const found = week.weekOf({ start_time: '22:00', end_time: '02:00', working_days: [7] })
		assert.deepEqual(found[6], [{ from: 1320, until: 1440 }])
		assert.deepEqual(found[0], [{ from: 0, until: 120 }])
		assert.deepEqual(found[5], [])
	},
	'working days bound the days of windows'() {
		const found = week.weekOf({ start_time: null, end_time: null, working_days: [1, 2], calling_windows: [{ days: [2, 3], start: '09:00', end: '10:00' }] })
		assert.equal(week.weekText(found), 'Tue 09:00–10:00')
	},
	'a week is read out in few words'() {
		assert.equal(week.weekText(week.weekOf({ start_time: '09:00', end_time: '17:30', working_days: [1, 2, 3, 4, 5] })), 'Mon–Fri 09:00–17:30')
		assert.equal(week.weekText(week.weekOf({ start_time: null, end_time: null, working_days: [] })), 'never')
	},
	'a week on the clock of another zone is the same week, shifted'() {
		const own = week.weekOf({ start_time: '22:00', end_time: '02:00', working_days: [7] })
		for (const shift of [-780, -90, 0, 45, 540])
			for (let at = 0; at < 7 * 1440; at += 15)
				assert.equal(isOpen(week.shifted(own, shift), ((at + shift) % 10080 + 10080) % 10080), isOpen(own, at), `${shift} ${at}`)
	},
	'an instant is shown in two zones, with its day if that differs'() {
		const now = Date.parse('2026-11-28T12:00:00Z'), at = '2026-11-29T03:00:00Z'
		assert.equal(time.instantText(at, 'America/New_York', { now }), 'Sat 28 Nov, 22:00'.replace('Sat 28 Nov, ', ''))
		assert.equal(time.instantText(at, 'America/New_York', { now, full: true }), 'Sat 28 Nov, 22:00')
		assert.equal(time.besideText(at, 'Asia/Kolkata', 'America/New_York'), 'Sun 08:30')
		assert.equal(time.instantText('2027-03-01T08:00:00Z', 'Europe/Berlin', { now }), 'Mon 1 Mar 2027, 09:00')
	},
	'both changes of the clock are found to the minute'() {
		const spring = time.clockChanges(Date.parse('2026-03-01T00:00Z'), 60, 'Europe/Berlin')
		assert.deepEqual(spring, [{ at: Date.parse('2026-03-29T01:00Z'), minutes: 60 }])
		const autumn = time.clockChanges(Date.parse('2026-10-15T00:00Z'), 60, 'America/New_York')
		assert.deepEqual(autumn, [{ at: Date.parse('2026-11-01T06:00Z'), minutes: -60 }])
		assert.deepEqual(time.clockChanges(Date.parse('2026-10-15T00:00Z'), 60, 'Asia/Kolkata'), [])
	},
	'wall times around a change of the clock are those of the zone'() {
		assert.equal(time.clockOf(time.wallOf('2026-03-29T00:59:59Z', 'Europe/Berlin')), '01:59')
		assert.equal(time.clockOf(time.wallOf('2026-03-29T01:00:00Z', 'Europe/Berlin')), '03:00')
		assert.equal(time.clockOf(time.wallOf('2026-10-25T00:30:00Z', 'Europe/Berlin')), '02:30')
		assert.equal(time.clockOf(time.wallOf('2026-10-25T01:30:00Z', 'Europe/Berlin')), '02:30')
		assert.equal(time.clockOf(time.wallOf('2026-11-28T23:00:00Z', 'Europe/Berlin')), '00:00')
	},
	'lengths of time are told in words that fit them'() {
		assert.deepEqual([5, 100, 7200, 86400 * 18].map(time.spanText), ['5 seconds', '100 seconds', '2 hours', '18 days'])
		assert.deepEqual([0, 123, 3723, null].map(time.durationText), ['0:00', '2:03', '1:02:03', '–'])
	},
	'every state, rule, error and event of the API has its words'() {
		const tables = {
			BatchCallStatus: words.campaignWords, BatchCallContactStatus: words.contactWords, CallStatus: words.callWords, AgentStatus: words.agentWords,
			DeliveryStatus: words.deliveryWords, CallOutcome: words.outcomeWords, RetryOutcome: words.retryWords, EventType: words.eventWords, Scope: words.scopeWords,
			ErrorCode: words.errorWords, GateName: words.gateWords,
		}
		for (const [name, table] of Object.entries(tables)) assert.deepEqual(Object.keys(table).sort(), [...enums[name]].sort(), name)
	},
	'every rule says something without its facts, too'() {
		for (const [gate, word] of Object.entries(words.gateWords)) {
			const said = word.closed({ gate, open: false, opens_at: null, facts: {} }, at => at ? `at ${at}` : 'later')
			assert.ok(said.length > 5 && !/undefined|null|NaN/.test(said), `${gate}: ${said}`)
		}
	},
	'only addresses of web pages are followed'() {
		for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'https://a:b@example.com/', 'file:///etc/passwd', ' ', 'x'])
			assert.equal(text.safeUrl(bad), null, bad)
		assert.equal(text.safeUrl('https://example.com/a').host, 'example.com')
	},
	'a number is found in what people write, and nothing else is taken for one'() {
		assert.equal(text.phoneIn('+1 (202) 555-0147'), '+12025550147')
		assert.equal(text.phoneIn('0049 30 1234567'), '+49301234567')
		for (const bad of ['2025550147', '+0123456', 'Ada', '+1234567890123456']) assert.equal(text.phoneIn(bad), null, bad)
	},
	'cells that a spreadsheet would take for formulas have an apostrophe in front'() {
		assert.equal(text.csv([['=1+1', '+12025550147', '@x', 'a"b', 7]]), `'=1+1,+12025550147,'@x,"a""b",7\r\n`)
	},
	'ids are known with and without their prefix'() {
		const id = '01a1fd50-2fc2-7000-b43b-578d77bfebaf'
		assert.deepEqual(text.idIn('call_' + id), { type: 'call', id })
		assert.deepEqual(text.idIn(id), { type: null, id })
		assert.equal(text.idIn('xyz_' + id), null)
	},
}

// The rule itself, minute by minute.
function mayCall(start, end, day, at) {
	const [from, until] = [start, end].map(week.minutesOf)
	const open = (day - 1) * 1440 + from, close = (day - 1) * 1440 + (until > from ? until : until + 1440)
	return (at >= open && at < close) || (at + 10080 >= open && at + 10080 < close)
}

const isOpen = (found, at) => found[Math.floor(at / 1440)].some(span => at % 1440 >= span.from && at % 1440 < span.until)

console.log(`1..${Object.keys(tests).length}`)
let number = 0, failed = 0
for (const [name, test] of Object.entries(tests)) {
	number++
	try {
		await test()
		console.log(`ok ${number} - ${name}`)
	} catch (error) {
		failed++
		console.log(`not ok ${number} - ${name}\n# ${String(error.stack).replace(/\n/g, '\n# ')}`)
	}
}
process.exit(failed ? 1 : 0)
