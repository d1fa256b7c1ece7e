// One campaign: its head and its tabs. The overview is here; the other tabs are pages of their own.

import type { Agent, Analytics, BatchCall, Call, CampaignExplanation, ContactResults, GateName } from 'api-types'
import { useState, type ReactNode } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count, fullName, percent, phone, plural, sum } from '../base/text'
import { clockOf, durationText, isSameOffset, MY_ZONE, wallOf, zoneName } from '../base/time'
import { callWords, campaignWords, endings, outcomeWords, reasonText } from '../base/words'
import { ActButton, askCancel, askDelete, heldText, may, PrimaryAction, results } from '../parts/actions'
import { Card, Empty, Failure, Link, Menu, Name, PageHead, Skeleton, Status } from '../parts/basics'
import { CallsChart, CallsTable, EndingLegend, type Period } from '../parts/chart'
import { ask } from '../parts/dialog'
import { Icon } from '../parts/icon'
import { ProgressBar, ProgressLegend } from '../parts/progress'
import { CampaignZone, Time, useNow } from '../parts/time'
import { toast, toastError } from '../parts/toast'
import { WeekPicture } from '../parts/week'
import { WhyPanel } from '../parts/why'
import { CallsOf } from './calls'
import { ContactsOf } from './contacts_of'
import { AddContacts } from './wizard'
import { Edit } from './edit'
import { History, Plan } from './plan'

const SILENT_MS = 5 * 60_000
const OVER = ['completed', 'failed', 'cancelled']
declare const BATCH_CALL_FIELDS: string[] // of POST /batch-calls: web/build.py takes them from docs/openapi.yaml

const pace = (campaign: BatchCall | null) =>
	!campaign || campaign.status === 'active' ? 2000 : OVER.includes(campaign.status) ? Infinity : 10_000

export function Campaign({ id, tab = '', position }: { id: string; tab?: string; position?: string }) {
	const [ms, setMs] = useState(2000)
	const { data: campaign, error } = useLive<BatchCall>('/batch-calls/' + id, ms)
	const wanted = pace(campaign)
	if (wanted !== ms) setMs(wanted)
	if (error && !campaign)
		return error.status === 404
			? <><PageHead name="No such campaign" title="There is no such campaign in this organisation" /><Empty title="It may have been deleted" actions={<Link to="/campaigns" className="button">All campaigns</Link>} /></>
			: <><PageHead name="Campaign" title="Campaign" /><Failure error={error} what="The campaign" /></>
	if (!campaign) return <><PageHead name="Campaign" title="Campaign" /><Skeleton rows={8} height={40} /></>
	return (
		<CampaignZone.Provider value={campaign.timezone}>
			<Head campaign={campaign} tab={tab} />
			<Tabs campaign={campaign} tab={tab} />
			{tab === '' && <Overview campaign={campaign} />}
			{tab === 'contacts' && <ContactsOf campaign={campaign} position={position ? Number(position) : null} />}
			{tab === 'calls' && <CallsOf campaignId={campaign.id} />}
			{tab === 'plan' && <Plan campaign={campaign} />}
			{tab === 'edit' && <Edit campaign={campaign} key={campaign.id} />}
			{tab === 'add' && <AddContacts campaign={campaign} />}
			{tab === 'history' && <History campaign={campaign} />}
		</CampaignZone.Provider>
	)
}

function Head({ campaign, tab }: { campaign: BatchCall; tab: string }) {
	const mayWrite = useMay('write')
	const agent = useLive<Agent>('/agents/' + campaign.agent_id)
	const time = useNow(10_000)
	const others = campaign.phone_number_ids.length - 1
	const order = { random: 'at random', round_robin: 'in turn', sequential: 'one after the other' }[campaign.phone_rotation_strategy]
	const isFar = !isSameOffset(time, campaign.timezone, MY_ZONE)
	const names: Record<string, string> = { '': '', contacts: 'Contacts · ', calls: 'Calls · ', plan: 'Plan · ', edit: 'Settings · ', add: 'Add contacts · ', history: 'History · ' }
	return (
		<PageHead name={(names[tab] ?? '') + campaign.name} key={tab === 'contacts' ? 'contacts' : tab}
			crumb={<Link to="/campaigns">Campaigns</Link>} title={<Name>{campaign.name}</Name>} after={<Status word={campaignWords[campaign.status]} pill />}
			below={<>
				<Link to={'/agents/' + campaign.agent_id}><Name>{agent.data?.name ?? 'its agent'}</Name></Link>
				{campaign.from_number && <> · from {phone(campaign.from_number)}{others > 0 && ` and ${others} more, ${order}`}</>}
				{' · '}{zoneName(campaign.timezone)} <span className="nowrap">(now {clockOf(wallOf(time, campaign.timezone))}{isFar && `, your ${clockOf(wallOf(time, MY_ZONE))}`})</span>
			</>}
			actions={mayWrite ? <>
				<PrimaryAction campaign={campaign} />
				{may('edit', campaign) && <button type="button" className="button" data-key="e" onClick={() => go(`/campaigns/${campaign.id}/edit`)}><Icon name="edit" />Edit</button>}
				{OVER.includes(campaign.status) && <ActButton icon="down" text="Results.csv" primary run={() => results(campaign)} />}
				<More campaign={campaign} />
			</> : may('results', campaign) && <ActButton icon="down" text="Results.csv" run={() => results(campaign)} />} />
	)
}

function More({ campaign }: { campaign: BatchCall }) {
	return (
		<Menu label="More about this campaign">
			{may('add', campaign) && <Link to={`/campaigns/${campaign.id}/add`}><Icon name="plus" />Add contacts</Link>}
			{!OVER.includes(campaign.status) && may('results', campaign) && <button type="button" onClick={() => { results(campaign).catch(toastError) }}><Icon name="down" />Results.csv</button>}
			<Link to={'/campaigns/new' + query({ copy: campaign.id })}><Icon name="copy" />Copy</Link>
			{campaign.total_contacts > 0 && <button type="button" onClick={() => askCopy(campaign)}><Icon name="copy" />Copy with its contacts…</button>}
			{may('again', campaign) && missed(campaign) > 0 && <button type="button" onClick={() => askAgain(campaign)}><Icon name="phone" />Call again unreached contacts…</button>}
			{may('cancel', campaign) && <button type="button" className="danger" onClick={() => askCancel(campaign)}><Icon name="close" />Cancel…</button>}
			{may('delete', campaign) && <button type="button" className="danger" onClick={() => askDelete(campaign)}><Icon name="trash" />Delete…</button>}
		</Menu>
	)
}

const missed = (campaign: BatchCall) => campaign.no_answer + campaign.busy + campaign.failed + campaign.voicemail

// A new draft with the same configuration, for the contacts that were not reached.
function askAgain(campaign: BatchCall) {
	ask({
		title: 'Call unreached contacts again?', verb: 'Create the draft', isSafe: true,
		text: `A new draft gets copies of ${plural(missed(campaign), 'contact')}: no answer ${count(campaign.no_answer)}, busy ${count(campaign.busy)}, failed ${count(campaign.failed)}, voicemail ${count(campaign.voicemail)}. You schedule it when you have looked at it.`,
		run: () => makeFrom(campaign, 'again', ['no_answer', 'busy', 'failed', 'voicemail']),
	})
}

function askCopy(campaign: BatchCall) {
	ask({
		title: 'Copy with all contacts?', verb: 'Create the draft', isSafe: true,
		text: `A new draft gets the settings of this campaign and copies of its ${plural(campaign.total_contacts, 'contact')}, whatever became of them. You schedule it when you have looked at it.`,
		run: () => makeFrom(campaign, 'copy', null),
	})
}

async function makeFrom(campaign: BatchCall, what: string, statuses: ContactResults | null) {
	const made = await change<BatchCall>('POST', '/batch-calls', {
		body: { ...configuration(campaign), name: `${campaign.name.slice(0, 240)} (${what})`, contact_source: 'campaign', source_campaign_id: campaign.id, source_statuses: statuses },
	})
	void refresh('/batch-calls')
	toast('The draft is made.')
	go('/campaigns/' + made.id)
}

// The fields that a copy takes over: all fields of a new campaign, except the start and the contacts.
function configuration(campaign: BatchCall) {
	const others = ['schedule_type', 'scheduled_at', 'contact_source', 'contact_folder_id']
	return Object.fromEntries(Object.entries(campaign).filter(([name]) => BATCH_CALL_FIELDS.includes(name) && !others.includes(name)))
}

function Tabs({ campaign, tab }: { campaign: BatchCall; tab: string }) {
	const root = '/campaigns/' + campaign.id
	const tabs: [string, ReactNode][] = [
		['', 'Overview'], ['contacts', <>Contacts<span className="count">{count(campaign.total_contacts)}</span></>], ['calls', 'Calls'],
		['plan', 'Plan'], ['edit', 'Settings'], ['history', 'History'],
	]
	return (
		<nav className="tabs" aria-label="Parts of the campaign">
			{tabs.map(([name, text]) => <Link key={name} to={name ? `${root}/${name}` : root} aria-current={tab === name ? 'page' : undefined}>{text}</Link>)}
		</nav>
	)
}

function Overview({ campaign }: { campaign: BatchCall }) {
	const isRunning = ['active', 'scheduled', 'paused'].includes(campaign.status)
	const isCounting = campaign.status !== 'draft'
	const root = '/batch-calls/' + campaign.id
	const why = useLive<CampaignExplanation>(isRunning ? root + '/why' : null, campaign.in_progress === 0 ? 5000 : 15_000)
	const [interval, setInterval] = useState<'hour' | 'day'>(() => longRunning(campaign) ? 'day' : 'hour')
	const analytics = useLive<Analytics>(isCounting ? `${root}/analytics?interval=${interval}` : null, OVER.includes(campaign.status) ? Infinity : 10_000)
	const flights = useLive<Call[]>(isRunning ? '/calls' + query({ batch_call_id: campaign.id, status: 'in_flight', limit: 100 }) : null, campaign.in_progress > 0 ? 4000 : 10_000)
	const silent = (flights.data ?? []).filter(isSilent)
	return (
		<>
			{isCounting && <Tiles campaign={campaign} analytics={analytics.data} />}
			{campaign.total_contacts > 0 && (
				<Card label="Progress"><div className="stack close"><ProgressBar campaign={campaign} tall /><ProgressLegend campaign={campaign} /></div></Card>
			)}
			{(isRunning || campaign.status === 'draft' || campaign.status === 'failed') && (
				<WhyPanel campaign={campaign} why={why.data} action={gate => <WhyAction gate={gate} campaign={campaign} why={why.data} />}
					silent={silent.length > 0 && (
						<div className="why-line"><p className="warn-text">{plural(silent.length, 'call')} {silent.length === 1 ? 'has' : 'have'} been silent for more than 5 minutes.</p><a href="#in-flight" className="button small" onClick={event => { event.preventDefault(); document.getElementById('in-flight')?.scrollIntoView() }}>See them</a></div>
					)} />
			)}
			<div className="columns">
				<div className="stack">
					{isCounting && <Calls analytics={analytics.data} interval={interval} onInterval={setInterval} campaign={campaign} />}
					<Card title="Calling hours" actions={<span className="soft small">{zoneName(campaign.timezone)}</span>}>
						<WeekPicture hours={campaign} zone={campaign.timezone} excluded={campaign.excluded_dates} byContact={campaign.respect_contact_timezone} />
					</Card>
				</div>
				<div className="stack">
					{isRunning && <InFlight calls={flights.data} silent={silent} />}
					{isCounting && <CameOf analytics={analytics.data} campaign={campaign} />}
				</div>
			</div>
		</>
	)
}

function longRunning(campaign: BatchCall): boolean {
	const from = campaign.started_at ? Date.parse(campaign.started_at) : 0
	const until = campaign.completed_at ? Date.parse(campaign.completed_at) : Date.now()
	return from > 0 && until - from > 14 * 86_400_000
}

function WhyAction({ gate, campaign, why }: { gate: GateName | null; campaign: BatchCall; why: CampaignExplanation | null }) {
	const mayWrite = useMay('write')
	const root = '/campaigns/' + campaign.id
	const to = (path: string, text: string) => <Link to={path} className="button small">{text}</Link>
	const webhook = why?.gates.map(one => one.facts.webhook_id).find(Boolean)
	switch (gate) {
	case 'campaign_state': return mayWrite ? <PrimaryAction campaign={campaign} small /> : null
	case 'dialer_health': return to(webhook ? '/webhooks/' + webhook : '/webhooks', 'See what it answered')
	case 'dialer_room': return to(webhook ? '/webhooks/' + webhook : '/webhooks', 'Open the webhook')
	case 'dialer': case 'agent': return to('/agents/' + campaign.agent_id, 'Open the agent')
	case 'number': return to('/numbers', 'Open the numbers')
	case 'contact_limits': return to('/settings/limits', 'Open the limits')
	case 'free_place': return mayWrite ? to(root + '/edit?at=max_concurrent_calls', 'Change the limit') : null
	case 'scheduled_start': return mayWrite ? to(root + '/edit?at=scheduled_at', 'Change the start') : null
	case 'calling_window': case 'contact_window': return mayWrite ? to(root + '/edit?at=hours', 'Change the hours') : null
	case 'daily_cap': return mayWrite ? to(root + '/edit?at=max_calls_per_day', 'Change the cap') : null
	case 'pacing': return mayWrite ? to(root + '/edit?at=calls_per_minute', 'Change the pace') : null
	case 'number_pacing': return to('/numbers', 'Change the pace')
	default: return null
	}
}

function Tile({ name, value, of, meter }: { name: string; value: ReactNode; of?: ReactNode; meter?: number }) {
	return (
		<div className="tile">
			<dt>{name}</dt>
			<dd><div className="value">{value}</div>{of && <div className="of">{of}</div>}{meter !== undefined && <div className="meter"><i style={{ width: `${Math.min(100, meter * 100)}%` }} /></div>}</dd>
		</div>
	)
}

function Tiles({ campaign, analytics }: { campaign: BatchCall; analytics: Analytics | null }) {
	const calls = analytics?.calls
	const end = campaign.completed_at ?? analytics?.estimated_end ?? campaign.planned_until
	const isOver = OVER.includes(campaign.status)
	return (
		<dl className="tiles">
			{!isOver && <Tile name="In flight" value={<>{count(campaign.in_progress)} <small>of {heldText(campaign)}</small></>} meter={campaign.in_progress / Math.max(1, campaign.places || campaign.max_concurrent_calls)} />}
			{!isOver && <Tile name="Waiting" value={count(campaign.pending)} of={analytics && analytics.waiting_retry !== null ? `${count(analytics.waiting_retry)} to retry` : undefined} />}
			<Tile name="Contacts reached" value={count(campaign.completed)} of={`of ${count(campaign.called)} called`} />
			<Tile name="Calls answered" value={percent(analytics?.call_answer_rate)} of={calls ? `${count(calls.completed)} of ${count(calls.ended)} calls` : undefined} />
			<Tile name="Talk" value={analytics ? <>{count(Math.round(analytics.total_minutes))} <small>min</small></> : '–'} of={analytics?.average_duration_seconds ? `${durationText(analytics.average_duration_seconds)} each` : undefined} />
			<Tile name="Cost" value={analytics ? sum(analytics.total_cost) : '–'} of={analytics && calls?.completed ? `${sum(analytics.total_cost / calls.completed)} each answered` : undefined} />
			<Tile name={isOver ? 'Ended' : 'Ends about'} value={<small style={{ color: 'var(--text)', fontWeight: 600 }}>{end ? <Time at={end} /> : '–'}</small>}
				of={end && <BesideTime at={end} zone={campaign.timezone} />} />
		</dl>
	)
}

function BesideTime({ at, zone }: { at: string; zone: string }) {
	if (isSameOffset(Date.parse(at), zone, MY_ZONE)) return <>{zoneName(zone)}</>
	return <>{zoneName(zone)} · {clockOf(wallOf(at, MY_ZONE))} {zoneName(MY_ZONE)}</>
}

function Calls({ analytics, interval, onInterval, campaign }: { analytics: Analytics | null; interval: 'hour' | 'day'; onInterval: (value: 'hour' | 'day') => void; campaign: BatchCall }) {
	const [isTable, setTable] = useState(false)
	const time = useNow(30_000)
	const wall = wallOf(time, campaign.timezone)
	const two = (value: number) => String(value).padStart(2, '0')
	const today = `${wall.year}-${two(wall.month)}-${two(wall.day)}`
	const isDay = (analytics?.interval ?? interval) === 'day'
	const nowPeriod = OVER.includes(campaign.status) ? null : isDay ? today : `${today}T${two(wall.hour)}:00`
	const series = (analytics?.series ?? []) as Period[]
	return (
		<Card title={interval === 'day' ? 'Calls per day' : 'Calls per hour'} actions={
			<div className="segments" role="group" aria-label="Calls by">
				{(['hour', 'day'] as const).map(one => <button key={one} type="button" aria-pressed={!isTable && interval === one} onClick={() => { onInterval(one); setTable(false) }}>{one}</button>)}
				<button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>table</button>
			</div>
		}>
			{!analytics ? <Skeleton rows={4} height={34} />
				: isTable ? <CallsTable series={series} isDay={isDay} label="Calls and how they ended" />
				: <><CallsChart series={series} isDay={isDay} nowPeriod={nowPeriod} label={isDay ? 'Calls per day' : 'Calls per hour'} /><EndingLegend /></>}
		</Card>
	)
}

function CameOf({ analytics, campaign }: { analytics: Analytics | null; campaign: BatchCall }) {
	const outcomes = analytics?.outcomes ?? [], reasons = analytics?.end_reasons ?? []
	return (
		<Card title="What came of them">
			{!analytics ? <Skeleton rows={5} /> : analytics.attempts === 0 ? <p className="soft">No call has ended yet.</p> : (
				<div className="stack">
					<dl className="facts two">
						{endings.filter(ending => (analytics.calls as any)[ending] > 0).map(ending => (
							<Row key={ending} name={<><span className={`swatch end-${ending}`} /> {outcomeWords[ending]}</>} value={`${plural((analytics.calls as any)[ending], 'call')}`} />
						))}
						{campaign.skipped > 0 && <Row name={<><span className="swatch end-skipped" /> skipped</>} value={plural(campaign.skipped, 'contact')} />}
					</dl>
					{outcomes.length > 0 && <Words title="Outcomes" rows={outcomes.map(one => [one.outcome, one.calls])} />}
					{reasons.length > 0 && <Words title="How calls ended" rows={reasons.map(one => [reasonText(one.end_reason), one.calls])} />}
				</div>
			)}
		</Card>
	)
}

const Row = ({ name, value }: { name: ReactNode; value: ReactNode }) => <><dt className="nowrap">{name}</dt><dd>{value}</dd></>

function Words({ title, rows }: { title: string; rows: [string, number][] }) {
	const sorted = [...rows].sort((a, b) => b[1] - a[1])
	const shown = sorted.slice(0, 6)
	return (
		<div>
			<h3>{title}</h3>
			<ul className="small soft">{shown.map(([text, calls]) => <li key={text}><Name>{text}</Name> {count(calls)}</li>)}{sorted.length > 6 && <li>and {sorted.length - 6} more</li>}</ul>
		</div>
	)
}

export const isSilent = (call: Call) => {
	const heard = call.reported_at ?? call.answered_at ?? call.dispatched_at
	return !!heard && call.status !== 'queued' && Date.now() - Date.parse(heard) > SILENT_MS
}

export async function endByHand(call: Pick<Call, 'id'>) {
	await change('POST', `/calls/${call.id}/status`, { body: { status: 'failed', end_reason: 'ended by hand' } })
	await refresh('/calls', '/batch-calls')
	toast('The call has failed: ended by hand.')
}

function InFlight({ calls, silent }: { calls: Call[] | null; silent: Call[] }) {
	const time = useNow(1000)
	const mayReport = useMay('reports')
	const { path } = usePlace()
	return (
		<Card title={<span id="in-flight">In flight now{calls && ` (${count(calls.length)})`}</span>} flush>
			{!calls ? <div style={{ padding: 18 }}><Skeleton rows={3} /></div> : calls.length === 0 ? <p className="soft" style={{ padding: '10px 18px 18px' }}>No call is under way.</p> : (
				<div style={{ maxHeight: 330, overflow: 'auto', marginTop: 8 }} tabIndex={0} role="region" aria-label="Calls in flight">
					<table className="table plain" aria-label="Calls in flight">
						<thead className="hidden"><tr><th scope="col">To</th><th scope="col">State</th><th scope="col">Since</th></tr></thead>
						<tbody>
							{[...calls].sort((a, b) => Number(silent.includes(b)) - Number(silent.includes(a))).map(call => (
								<tr key={call.id}>
									<td><Link to={call.batch_call_id ? `${path}/contacts/${call.position}` : '/calls/' + call.id}>{phone(call.phone_number)}</Link><div className="sub"><Name>{fullName(call) || '–'}</Name></div></td>
									<td className="tight">{silent.includes(call) ? <Status word={{ text: 'silent', tone: 'warn', shape: 'triangle' }} /> : <Status word={callWords[call.status]} />}<div className="sub">from {phone(call.from_number).slice(-8)}</div></td>
									<td className="tight number">
										{durationText((time - Date.parse(call.answered_at ?? call.dispatched_at ?? call.created_at)) / 1000)}
										{silent.includes(call) && mayReport && <div><button type="button" className="link-button small" onClick={() => ask({
											title: 'End this call as failed?', verb: 'End it', text: <>The call to {phone(call.phone_number)} is reported as failed, and its place is free. If the call still goes on, it is not hung up.</>, run: () => endByHand(call),
										})}>End as failed…</button></div>}
									</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</Card>
	)
}

