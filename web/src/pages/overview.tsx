// The overview: what runs, today's figures, and problems.

import type { Overview as Figures, BatchCall } from 'api-types'
import type { ReactNode } from 'react'
import { useLive } from '../base/poll'
import { query } from '../base/route'
import { useMay, useSession } from '../base/session'
import { count, percent, plural, sum } from '../base/text'
import { MY_ZONE } from '../base/time'
import { gateWord } from '../base/words'
import { Card, Failure, Link, Name, PageHead, Skeleton } from '../parts/basics'
import { ProgressBar } from '../parts/progress'
import { CampaignZone, Time } from '../parts/time'

const WEEK_MS = 7 * 86_400_000
const FIELDS = 'id,name,status,status_reason,timezone,total_contacts,pending,in_progress,completed,failed,voicemail,no_answer,busy,cancelled,skipped,max_concurrent_calls,places,held_by,held_until,planned_from,planned_until'

export function Overview() {
	const { data, error } = useLive<Figures>('/overview' + query({ timezone: MY_ZONE }), 5000)
	const running = useLive<BatchCall[]>('/batch-calls' + query({ status: 'active', limit: 12, fields: FIELDS }), 5000)
	const next = useLive<BatchCall[]>('/batch-calls' + query({ status: 'scheduled,paused', limit: 8, sort_by: 'planned_from', order: 'asc', fields: FIELDS }), 10_000)
	if (error && !data) return <><PageHead name="Overview" title="Overview" /><Failure error={error} what="The overview" /></>
	if (!data) return <><PageHead name="Overview" title="Overview" /><Skeleton rows={8} height={36} /></>
	const isEmpty = Object.values(data.campaigns).every(many => many === 0)
	const { today } = data
	return (
		<>
			<PageHead name="Overview" title="Overview" />
			<dl className="tiles">
				<Tile name="In flight" value={<>{count(data.calls_in_flight)} <small>of {count(data.places)}</small></>} meter={data.places ? data.calls_in_flight / data.places : 0} />
				{today && <>
					<Tile name="Calls today" value={count(today.calls)}><Spark hours={today.hours.map(hour => hour.calls)} /></Tile>
					<Tile name="Answered today" value={percent(today.calls ? today.completed / today.calls : null)}>of calls that ended</Tile>
					<Tile name="Minutes today" value={count(Math.round(today.minutes))} />
					<Tile name="Cost today" value={sum(today.cost)} />
				</>}
			</dl>
			{isEmpty ? <FirstSteps /> : <>
				<Needs data={data} />
				<div className="columns even">
					<Card title={`Running (${count(data.campaigns.active ?? 0)})`} actions={<Link to="/campaigns?status=active" className="button small">All</Link>}><Running rows={running.data} empty="No campaign is active." /></Card>
					<Card title={`Next (${count((data.campaigns.scheduled ?? 0) + (data.campaigns.paused ?? 0))})`} actions={<Link to="/campaigns?status=scheduled" className="button small">All</Link>}><Running rows={next.data} empty="Nothing is scheduled." /></Card>
				</div>
			</>}
		</>
	)
}

function Tile({ name, value, children, meter }: { name: string; value: ReactNode; children?: ReactNode; meter?: number }) {
	return <div className="tile"><dt>{name}</dt><dd><div className="value">{value}</div>{children && <div className="of">{children}</div>}{meter !== undefined && <div className="meter"><i style={{ width: `${Math.min(100, meter * 100)}%` }} /></div>}</dd></div>
}

// Calls by the hour of today.
function Spark({ hours }: { hours: number[] }) {
	const most = Math.max(1, ...hours)
	return (
		<svg width="100%" height="22" viewBox={`0 0 ${Math.max(1, hours.length) * 6} 22`} preserveAspectRatio="none" role="img" aria-label={`By the hour: ${hours.map((calls, hour) => calls ? `${hour}:00 ${calls}` : '').filter(Boolean).join(', ') || 'none'}`}>
			{hours.map((calls, hour) => <rect key={hour} x={hour * 6} width="5" y={22 - Math.max(1, 20 * calls / most)} height={Math.max(1, 20 * calls / most)} fill={calls ? 'var(--accent)' : 'var(--line)'} />)}
		</svg>
	)
}

function Needs({ data }: { data: Figures }) {
	const session = useSession()
	const isAdmin = useMay('admin')
	const ends = session?.current.expires_at
	const lines: { key: string; text: ReactNode; to: string }[] = [
		...data.webhooks.map(webhook => ({
			key: webhook.id, to: '/webhooks/' + webhook.id,
			text: <><Name>{webhook.description ?? webhook.url}</Name> {webhook.disabled ? <>is switched off{webhook.disabled_reason && <>: {webhook.disabled_reason}</>}</> : <>does not answer since <Time at={webhook.failing_since} />{webhook.next_probe_at && <>, next try <Time at={webhook.next_probe_at} seconds /></>}</>}</>,
		})),
		...data.failed_campaigns.map(campaign => ({ key: campaign.id, to: '/campaigns/' + campaign.id, text: <><Name>{campaign.name}</Name> failed: {campaign.status_reason}</> })),
		...(data.deliveries.failed_24h > 0 ? [{ key: 'deliveries', to: '/webhooks?status=failed', text: <>{plural(data.deliveries.failed_24h, 'webhook event')} could not be delivered in the last 24 hours</> }] : []),
		...(isAdmin && ends && Date.parse(ends) - Date.now() < WEEK_MS ? [{ key: 'key', to: '/settings/keys', text: <>Your key ends <Time at={ends} near full /></> }] : []),
	]
	if (lines.length === 0) return null
	return (
		<Card title={`Needs you (${lines.length})`}>
			<ul className="needs">{lines.map(line => <li key={line.key}><p><span className="tone-bad" aria-hidden="true">● </span>{line.text}</p><Link to={line.to} className="button small">Open</Link></li>)}</ul>
		</Card>
	)
}

function Running({ rows, empty }: { rows: BatchCall[] | null; empty: string }) {
	if (!rows) return <Skeleton rows={4} />
	if (rows.length === 0) return <p className="soft">{empty}</p>
	return (
		<ul className="needs">
			{rows.map(row => (
				<li key={row.id} style={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: 4 }}>
					<div className="why-line"><Link to={'/campaigns/' + row.id} className="strong" data-row><Name>{row.name}</Name></Link><span className="soft small">{row.status === 'active' ? `${count(row.in_progress)} of ${count(row.places)} in flight` : row.status}</span></div>
					{row.status === 'active' && <ProgressBar campaign={row} />}
					<CampaignZone.Provider value={row.timezone}>
						<span className="soft small">
							{row.held_by && row.status !== 'paused' ? <>{gateWord(row.held_by).name.toLowerCase()}{row.held_until && <>: until <Time at={row.held_until} both /></>}</>
								: row.status === 'active' ? row.planned_until && <>ends about <Time at={row.planned_until} both /></> : row.planned_from ? <Time at={row.planned_from} both near /> : ''}
						</span>
					</CampaignZone.Provider>
				</li>
			))}
		</ul>
	)
}

// The four steps to a first campaign, and which of them are done.
function FirstSteps() {
	const webhooks = useLive<unknown[]>('/webhooks?limit=1'), agents = useLive<unknown[]>('/agents?limit=1'), numbers = useLive<unknown[]>('/telephony/numbers?limit=1')
	const steps: [string, string, string, boolean][] = [
		['A webhook', 'where your dialer listens', '/webhooks', !!webhooks.data?.length],
		['An agent', 'that speaks in the calls', '/agents', !!agents.data?.length],
		['A number', 'to call from', '/numbers', !!numbers.data?.length],
		['A campaign', 'that calls its contacts', '/campaigns/new', false],
	]
	const at = steps.findIndex(([, , , isDone]) => !isDone)
	return (
		<Card title="Four steps to the first call">
			<ol className="first-steps">
				{steps.map(([name, text, to, isDone], index) => (
					<li key={name} className={isDone ? 'done' : ''}>
						<span className="mark">{isDone ? '✓' : index + 1}</span>
						<span className="grow"><b>{name}</b> <span className="soft">{text}</span>{isDone && <span className="hidden"> (done)</span>}</span>
						<Link to={to} className={`button small ${index === at ? 'primary' : ''}`}>{isDone ? 'Open' : 'Begin'}</Link>
					</li>
				))}
			</ol>
		</Card>
	)
}
