// The configuration of a campaign as a form, shared by the wizard and the page that edits.

import type { Agent, BatchCall, Number as PhoneNumber, RetryOutcome } from 'api-types'
import { useState } from 'react'
import { useLive } from '../base/poll'
import { characters, phone } from '../base/text'
import { DAYS, isZone, MY_ZONE, wallOf, zoneName } from '../base/time'
import { weekOf, weekText } from '../base/week'
import { agentWords, retryWords } from '../base/words'
import { Link } from './basics'
import { Amount, Check, Group, Radios, Select, Text, ZoneField, type Faults } from './form'
import { Icon } from './icon'
import { now } from '../base/api'
import { WeekPicture } from './week'

export interface CallWindow { days: number[]; start: string; end: string }

export interface Form {
	name: string
	agent_id: string
	phone_number_ids: string[] | null // null: all numbers of the agent
	phone_rotation_strategy: BatchCall['phone_rotation_strategy']
	start: 'immediate' | 'scheduled'
	date: string
	time: string
	timezone: string
	respect_contact_timezone: boolean
	windows: CallWindow[]
	excluded_dates: string[]
	max_concurrent_calls: number | null
	max_calls_per_day: number | null
	calls_per_minute: number | null
	retry_failed: boolean
	max_retry_attempts: number | null
	retry_on: RetryOutcome[]
	retry_delay_minutes: number | null
	retry_rules: BatchCall['retry_rules']
}

export const LABELS: Record<string, string> = {
	name: 'Name', agent_id: 'Agent', phone_number_ids: 'Numbers', phone_rotation_strategy: 'Order', scheduled_at: 'Start', timezone: 'Time zone',
	calling_windows: 'Hours', start_time: 'Hours', end_time: 'Hours', working_days: 'Hours', excluded_dates: 'Days off',
	max_concurrent_calls: 'At once', max_calls_per_day: 'A day', calls_per_minute: 'A minute', max_retry_attempts: 'Retries',
	retry_on: 'Retries after', retry_delay_minutes: 'First retry after', retry_rules: 'Retries by outcome', contacts: 'Contacts',
}
export const SHOWN = Object.keys(LABELS)

export const emptyForm = (): Form => ({
	name: '', agent_id: '', phone_number_ids: null, phone_rotation_strategy: 'random', start: 'immediate', date: '', time: '09:00',
	timezone: MY_ZONE, respect_contact_timezone: false, windows: [{ days: [1, 2, 3, 4, 5], start: '09:00', end: '17:30' }], excluded_dates: [],
	max_concurrent_calls: 10, max_calls_per_day: null, calls_per_minute: null, retry_failed: true, max_retry_attempts: 2,
	retry_on: ['failed', 'no_answer', 'busy'], retry_delay_minutes: 30, retry_rules: [],
})

const two = (value: number) => String(value).padStart(2, '0')

export function formOf(campaign: BatchCall): Form {
	const start = campaign.scheduled_at ? wallOf(campaign.scheduled_at, campaign.timezone) : null
	return {
		name: campaign.name, agent_id: campaign.agent_id ?? '', phone_number_ids: campaign.phone_number_ids,
		phone_rotation_strategy: campaign.phone_rotation_strategy, start: campaign.schedule_type,
		date: start ? `${start.year}-${two(start.month)}-${two(start.day)}` : '', time: start ? `${two(start.hour)}:${two(start.minute)}` : '09:00',
		timezone: campaign.timezone, respect_contact_timezone: campaign.respect_contact_timezone,
		windows: campaign.calling_windows.length > 0
			? campaign.calling_windows.map(window => ({ ...window, days: window.days.filter(day => campaign.working_days.includes(day)) }))
			: [{ days: campaign.working_days, start: campaign.start_time ?? '00:00', end: campaign.end_time ?? '24:00' }],
		excluded_dates: campaign.excluded_dates, max_concurrent_calls: campaign.max_concurrent_calls,
		max_calls_per_day: campaign.max_calls_per_day, calls_per_minute: campaign.calls_per_minute, retry_failed: campaign.retry_failed,
		max_retry_attempts: campaign.max_retry_attempts, retry_on: campaign.retry_on, retry_delay_minutes: campaign.retry_delay_minutes,
		retry_rules: campaign.retry_rules,
	}
}

// The hours as the API has them: one window is two times and days, several are windows.
export function hoursOf(windows: CallWindow[]) {
	const days = [...new Set(windows.flatMap(window => window.days))].sort()
	if (windows.length === 1)
		return { calling_windows: null, start_time: windows[0].start, end_time: windows[0].end, working_days: days }
	return { calling_windows: windows, start_time: null, end_time: null, working_days: days }
}

// The body of a POST or PATCH. `scheduled_at` without an offset: the server reads it in the campaign's zone.
export function bodyOf(form: Form, isNew: boolean): Record<string, unknown> {
	return {
		name: form.name.trim(), ...(isNew ? { agent_id: form.agent_id } : {}),
		...(form.phone_number_ids ? { phone_number_ids: form.phone_number_ids } : {}),
		phone_rotation_strategy: form.phone_rotation_strategy,
		schedule_type: form.start, scheduled_at: form.start === 'scheduled' ? `${form.date}T${form.time}` : null,
		timezone: form.timezone, respect_contact_timezone: form.respect_contact_timezone, ...hoursOf(form.windows),
		excluded_dates: form.excluded_dates, max_concurrent_calls: form.max_concurrent_calls, max_calls_per_day: form.max_calls_per_day,
		calls_per_minute: form.calls_per_minute, retry_failed: form.retry_failed,
		max_retry_attempts: form.retry_failed ? form.max_retry_attempts : 0, retry_on: form.retry_on, retry_delay_minutes: form.retry_delay_minutes,
		retry_rules: form.retry_failed ? form.retry_rules : [],
	}
}

const HOURS = ['calling_windows', 'start_time', 'end_time', 'working_days']
const START = ['schedule_type', 'scheduled_at']

// Only the fields that differ, for a PATCH; fields that belong together are sent together.
export function changesOf(before: Form, after: Form): Record<string, unknown> {
	const old = bodyOf(before, false), next = bodyOf(after, false)
	const differs = new Set(Object.keys(next).filter(name => JSON.stringify(old[name]) !== JSON.stringify(next[name])))
	for (const group of [HOURS, START])
		if (group.some(name => differs.has(name))) group.forEach(name => differs.add(name))
	if (differs.has('calling_windows')) {
		// A change never has both windows and the two times, except as null.
		if (next.calling_windows) ['start_time', 'end_time'].forEach(name => differs.has(name) && old[name] === null && differs.delete(name))
		else if (old.calling_windows === null) differs.delete('calling_windows')
	}
	if (after.start === 'immediate') differs.delete('scheduled_at')
	return Object.fromEntries(Object.entries(next).filter(([name]) => differs.has(name)))
}

// Faults that are found without the server.
export function checkForm(form: Form, parts: ('calls' | 'when')[]): Faults {
	const faults: Faults = {}
	if (parts.includes('calls')) {
		if (!form.name.trim()) faults.name = 'must not be empty'
		else if (characters(form.name.trim()) > 255) faults.name = 'has at most 255 characters'
		if (!form.agent_id) faults.agent_id = 'choose one'
		if (form.phone_number_ids?.length === 0) faults.phone_number_ids = 'choose at least one'
	}
	if (parts.includes('when')) {
		if (form.start === 'scheduled' && !form.date) faults.scheduled_at = 'needs a day'
		if (!isZone(form.timezone) || !form.timezone) faults.timezone = 'is not a zone such as Europe/Berlin'
		if (form.windows.some(window => window.days.length === 0)) faults.calling_windows = 'choose at least one day for each window'
		if (!form.max_concurrent_calls || form.max_concurrent_calls > 100) faults.max_concurrent_calls = 'must be from 1 to 100'
		if (form.calls_per_minute !== null && (form.calls_per_minute < 1 || form.calls_per_minute > 60000)) faults.calls_per_minute = 'must be from 1 to 60,000'
		if (form.max_calls_per_day !== null && form.max_calls_per_day < 1) faults.max_calls_per_day = 'must be 1 or more'
		if (form.retry_failed && (form.max_retry_attempts === null || form.max_retry_attempts > 3)) faults.max_retry_attempts = 'must be from 0 to 3'
		if (form.retry_failed && (form.retry_delay_minutes === null || form.retry_delay_minutes > 10080)) faults.retry_delay_minutes = 'must be from 0 to 10,080'
	}
	return faults
}

// "after 5 min, 3 times"
function ruleWords(rule: BatchCall['retry_rules'][number]): string {
	if (rule.max_attempts === 0) return 'not at all'
	return `after ${rule.delay_minutes} min, ${rule.max_attempts === 1 ? 'once' : `${rule.max_attempts} times`}`
}

interface Props { form: Form; set: (changes: Partial<Form>) => void; faults: Faults; locked?: boolean; isNew?: boolean }

export function CallsFields({ form, set, faults, isNew }: Props) {
	const agents = useLive<Agent[]>('/agents?limit=100')
	const numbers = useLive<PhoneNumber[]>('/telephony/numbers?limit=100')
	const own = (numbers.data ?? []).filter(number => number.outbound_agent_id === form.agent_id)
	const isChosen = form.phone_number_ids !== null
	const toggle = (id: string, isOn: boolean) => {
		const ids = form.phone_number_ids ?? []
		set({ phone_number_ids: isOn ? [...ids, id] : ids.filter(one => one !== id) })
	}
	return (
		<div className="form">
			<Text label="Name" value={form.name} onChange={name => set({ name })} fault={faults.name} required first={isNew} />
			<Select label="Agent" value={form.agent_id} onChange={agent_id => set({ agent_id })} disabled={!isNew} fault={faults.agent_id}
				hint={!isNew ? 'The agent of a campaign stays; copy the campaign for another' : agents.data?.length === 0 ? undefined : 'Who speaks in the calls. Only active agents can be chosen'}>
				<option value="">Choose an agent</option>
				{agents.data?.map(agent => <option key={agent.id} value={agent.id} disabled={agent.status !== 'active'}>{agent.name}{agent.status !== 'active' ? ` (${agentWords[agent.status].text})` : ''}</option>)}
			</Select>
			{agents.data?.length === 0 && <p className="soft">There is no agent yet. <Link to="/agents">Make one first</Link>.</p>}
			<Group label="Numbers to call from" fault={faults.phone_number_ids}>
				{isNew && <Check checked={!isChosen} onChange={isAll => set({ phone_number_ids: isAll ? null : own.map(number => number.id) })}>
					All of the agent{form.agent_id && ` (${own.length})`}
				</Check>}
				{isChosen && <div className="stack close" style={{ maxHeight: 240, overflow: 'auto', gap: 0 }}>
					{(numbers.data ?? []).map(number => (
						<Check key={number.id} checked={form.phone_number_ids!.includes(number.id)} onChange={isOn => toggle(number.id, isOn)}>
							{phone(number.phone_number)}{number.friendly_name && <span className="soft"> {number.friendly_name}</span>}
						</Check>
					))}
				</div>}
				{numbers.data?.length === 0 && <p className="soft">There are no numbers yet. <Link to="/numbers">Add one first</Link>.</p>}
			</Group>
			<Select label="Order of the numbers" value={form.phone_rotation_strategy} onChange={value => set({ phone_rotation_strategy: value as Form['phone_rotation_strategy'] })}>
				<option value="random">At random</option>
				<option value="round_robin">In turn, the next at every call</option>
				<option value="sequential">One after the other, each for its share of the contacts</option>
			</Select>
		</div>
	)
}

const PRESETS: [string, CallWindow[]][] = [
	['Mon–Fri 9–17:30', [{ days: [1, 2, 3, 4, 5], start: '09:00', end: '17:30' }]],
	['Mon–Sat 9–20', [{ days: [1, 2, 3, 4, 5, 6], start: '09:00', end: '20:00' }]],
	['Without the noon', [{ days: [1, 2, 3, 4, 5], start: '09:00', end: '12:00' }, { days: [1, 2, 3, 4, 5], start: '14:00', end: '18:00' }]],
	['Around the clock', [{ days: [1, 2, 3, 4, 5, 6, 7], start: '00:00', end: '24:00' }]],
]

export interface HoursPreset { name: string; title: string; source: string; calling_windows: CallWindow[] }

// Hours of countries, from the operator's table.
export function CountryHours({ onChoose }: { onChoose: (windows: CallWindow[]) => void }) {
	const presets = useLive<HoursPreset[]>('/calling-hours-presets')
	const [chosen, setChosen] = useState('')
	const source = presets.data?.find(one => one.name === chosen)?.source
	const choose = (name: string) => {
		const preset = presets.data?.find(one => one.name === name)
		setChosen(name)
		if (preset) onChoose(preset.calling_windows)
	}
	if (!presets.data?.length) return null
	return (
		<Select label="Hours of a country" value={chosen} onChange={choose} hint={source && `By ${source}. Rules change, and most forbid holidays too: judge for yourself.`}>
			<option value="">Choose a country</option>
			{presets.data.map(one => <option key={one.name} value={one.name}>{one.title}</option>)}
		</Select>
	)
}

export function WhenFields({ form, set, faults, locked }: Props) {
	const setWindow = (at: number, changes: Partial<CallWindow>) => set({ windows: form.windows.map((window, index) => index === at ? { ...window, ...changes } : window) })
	return (
		<div className="form-split">
			<div className="form">
				<Group label="Start" fault={faults.scheduled_at} hint={locked ? 'Pause the campaign first to change its start or its zone' : undefined}>
					<div className="inline" data-at="scheduled_at">
						<Radios label="Start" value={form.start} disabled={locked} onChange={start => set({ start })} choices={[['immediate', 'At once'], ['scheduled', 'On a day']]} />
						{form.start === 'scheduled' && <>
							<input className="input" type="date" aria-label="Day of the start" value={form.date} disabled={locked} onChange={event => set({ date: event.target.value })} />
							<input className="input" type="time" aria-label="Time of the start" value={form.time} disabled={locked} onChange={event => set({ time: event.target.value })} />
						</>}
					</div>
				</Group>
				<ZoneField value={form.timezone} onChange={timezone => set({ timezone })} fault={faults.timezone} disabled={locked} />
				<Check checked={form.respect_contact_timezone} disabled={locked} onChange={value => set({ respect_contact_timezone: value })}>Read the hours in each contact’s own zone</Check>
				<Group label="Hours in which calls may begin" fault={faults.calling_windows ?? faults.start_time ?? faults.end_time ?? faults.working_days}>
					<div className="chips" style={{ marginBottom: 10, flexWrap: 'wrap', marginInline: 0, padding: 0 }} data-at="hours">
						{PRESETS.map(([text, windows]) => <button key={text} type="button" className="chip" onClick={() => set({ windows })}>{text}</button>)}
					</div>
					<CountryHours onChoose={windows => set({ windows })} />
					{form.windows.map((window, index) => (
						<div className="window-row" key={index}>
							<Days days={window.days} onChange={days => setWindow(index, { days })} label={`Days of window ${index + 1}`} />
							<span className="inline" style={{ flexWrap: 'nowrap' }}>
								<TimeInput label={`Start of window ${index + 1}`} value={window.start} onChange={start => setWindow(index, { start })} />
								<span aria-hidden="true">–</span>
								<TimeInput label={`End of window ${index + 1}`} value={window.end} onChange={end => setWindow(index, { end })} />
								{form.windows.length > 1 && <button type="button" className="button icon small quiet" aria-label={`Remove window ${index + 1}`} onClick={() => set({ windows: form.windows.filter((_, at) => at !== index) })}><Icon name="close" /></button>}
							</span>
						</div>
					))}
					{form.windows.length < 50 && <button type="button" className="button quiet small" style={{ justifySelf: 'start' }} onClick={() => set({ windows: [...form.windows, { days: [6], start: '10:00', end: '14:00' }] })}><Icon name="plus" />Another window</button>}
				</Group>
				<DaysOff dates={form.excluded_dates} onChange={excluded_dates => set({ excluded_dates })} fault={faults.excluded_dates} />
				<div className="form-row">
					<div data-at="max_concurrent_calls"><Amount label="Calls at once" value={form.max_concurrent_calls} onChange={value => set({ max_concurrent_calls: value })} fault={faults.max_concurrent_calls} /></div>
					<div data-at="max_calls_per_day"><Amount label="A day, at most" value={form.max_calls_per_day} placeholder="no cap" onChange={value => set({ max_calls_per_day: value })} fault={faults.max_calls_per_day} /></div>
					<div data-at="calls_per_minute"><Amount label="A minute, at most" value={form.calls_per_minute} placeholder="no pace" onChange={value => set({ calls_per_minute: value })} fault={faults.calls_per_minute} /></div>
				</div>
				<Group label="Retries" fault={faults.max_retry_attempts ?? faults.retry_on ?? faults.retry_delay_minutes ?? faults.retry_rules}>
					<Check checked={form.retry_failed} onChange={retry_failed => set({ retry_failed, max_retry_attempts: form.max_retry_attempts || 2 })}>Call again when a call does not reach anybody</Check>
					{form.retry_failed && <div className="stack close" style={{ marginTop: 8 }}>
						<div className="form-row">
							<Select label="How often, beyond the first call" value={String(form.max_retry_attempts ?? 0)} onChange={value => set({ max_retry_attempts: Number(value) })}>
								{[0, 1, 2, 3].map(many => <option key={many} value={many}>{many === 0 ? 'not at all' : many === 1 ? 'once' : many === 2 ? 'twice' : 'three times'}</option>)}
							</Select>
							<Amount label="First after" unit="min, then doubling" value={form.retry_delay_minutes} onChange={value => set({ retry_delay_minutes: value })} />
						</div>
						<div className="checks" role="group" aria-label="Retry after">
							{(Object.keys(retryWords) as RetryOutcome[]).map(outcome => (
								<Check key={outcome} checked={form.retry_on.includes(outcome)} onChange={isOn => set({ retry_on: isOn ? [...form.retry_on, outcome] : form.retry_on.filter(one => one !== outcome) })}>{retryWords[outcome]}</Check>
							))}
						</div>
						{form.retry_rules.length > 0 && <p className="hint">
							{form.retry_rules.map(rule => `${retryWords[rule.outcome]}: ${ruleWords(rule)}`).join('; ')}.{' '}
							<button type="button" className="button quiet small" onClick={() => set({ retry_rules: [] })}>Remove these rules</button>
						</p>}
					</div>}
				</Group>
			</div>
			<aside className="stack close" aria-label="The week">
				<h3>The week{isZone(form.timezone) && form.timezone ? ` in ${zoneName(form.timezone)}` : ''}</h3>
				<WeekPicture hours={hoursOf(form.windows)} zone={isZone(form.timezone) && form.timezone ? form.timezone : 'UTC'} excluded={form.excluded_dates} byContact={form.respect_contact_timezone} />
				<p className="hidden" aria-live="polite">{weekText(weekOf(hoursOf(form.windows)))}</p>
			</aside>
		</div>
	)
}

function Days({ days, onChange, label }: { days: number[]; onChange: (days: number[]) => void; label: string }) {
	return (
		<span className="days" role="group" aria-label={label}>
			{DAYS.map((name, index) => (
				<label className="day" key={name}>
					<input type="checkbox" checked={days.includes(index + 1)} onChange={event => onChange(event.target.checked ? [...days, index + 1].sort() : days.filter(day => day !== index + 1))} />
					<span>{name}</span>
				</label>
			))}
		</span>
	)
}

// A text field, because fields of type time do not accept 24:00, the end of the day.
function TimeInput({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
	return <input className="input" aria-label={label} inputMode="numeric" placeholder="HH:MM" maxLength={5} defaultValue={value} key={value}
		onBlur={event => {
			const read = timeIn(event.target.value)
			if (read) onChange(read)
			event.target.value = read ?? value
		}} />
}

export function timeIn(text: string): string | null {
	const found = /^\s*(\d{1,2})(?:[:.h ]?(\d{2}))?\s*$/.exec(text)
	if (!found) return null
	const hours = Number(found[1]), minutes = Number(found[2] ?? 0)
	return hours < 24 && minutes < 60 || hours === 24 && minutes === 0 ? `${two(hours)}:${two(minutes)}` : null
}

function DaysOff({ dates, onChange, fault }: { dates: string[]; onChange: (dates: string[]) => void; fault?: string }) {
	const today = wallOf(now(), MY_ZONE)
	return (
		<Group label="Days off" fault={fault}>
			<div className="inline">
				{dates.map(date => (
					<button key={date} type="button" className="chip" aria-label={`Remove ${date}`} onClick={() => onChange(dates.filter(one => one !== date))}>{date} <Icon name="close" /></button>
				))}
				<input className="input" type="date" aria-label="Add a day off" min={`${today.year}-01-01`} value="" onChange={event => {
					const date = event.target.value
					if (/^20\d\d-/.test(date) && !dates.includes(date)) onChange([...dates, date].sort())
				}} />
			</div>
		</Group>
	)
}
