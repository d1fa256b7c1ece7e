// The plan of a campaign by days, its forecast, and its history.

import type { BatchCall, BatchCallHistoryEntry, BatchCallStatus, Preview } from 'api-types'
import { useEffect, useState } from 'react'
import { call } from '../base/api'
import { useLive } from '../base/poll'
import { count, plural } from '../base/text'
import { zoneName } from '../base/time'
import { campaignWords, reasonText } from '../base/words'
import { Card, Empty, ErrorText, Failure, Link, Skeleton, useRested } from '../parts/basics'
import { By, Changes } from '../parts/changes'
import { PlanChart } from '../parts/chart'
import { Amount } from '../parts/form'
import { Table } from '../parts/table'
import { Time } from '../parts/time'

export interface Warning { code: string; message: string; contacts: number; timezone: string }
type Warned = Preview & { warnings: Warning[] }

export function usePreview(id: string, body: unknown, turn: unknown): { preview: Warned | null; error: unknown } {
	const [state, setState] = useState<{ preview: Warned | null; error: unknown }>({ preview: null, error: null })
	const rested = useRested(JSON.stringify(body), 400)
	useEffect(() => {
		const abort = new AbortController()
		call<Preview>('POST', `/batch-calls/${id}/preview`, { body: JSON.parse(rested), signal: abort.signal }).then(
			({ data, meta }) => setState({ preview: { ...data, warnings: (meta as { warnings?: Warning[] }).warnings ?? [] }, error: null }),
			error => { if (!abort.signal.aborted) setState(old => ({ ...old, error })) })
		return () => abort.abort()
	}, [id, rested, turn])
	return state
}

export function Forecast({ campaign, turn }: { campaign: BatchCall; turn?: unknown }) {
	const [seconds, setSeconds] = useState<number | null>(90)
	const [share, setShare] = useState<number | null>(40)
	const isFine = !!seconds && share !== null && share <= 100
	const { preview, error } = usePreview(campaign.id, isFine ? { average_call_seconds: seconds, answer_rate: share! / 100 } : {}, turn)
	return (
		<div className="stack">
			<div className="inline" style={{ alignItems: 'end', gap: 18 }}>
				<Amount label="A call takes about" unit="seconds" value={seconds} onChange={setSeconds} />
				<Amount label="Answered are about" unit="%" value={share} onChange={setShare} />
			</div>
			{error !== null && <p className="bad-text"><ErrorText error={error} /></p>}
			{!preview ? error === null && <Skeleton rows={4} /> : <Shown preview={preview} campaign={campaign} />}
		</div>
	)
}

function Shown({ preview, campaign }: { preview: Warned; campaign: BatchCall }) {
	const { estimate } = preview
	return (
		<>
			{preview.planned > 0 ? (
				<p>
					<b>{plural(preview.planned, 'contact')}</b> from <b><Time at={preview.planned_from} full both /></b> to <b><Time at={preview.planned_until} full /></b>
					{estimate?.estimated_end ? <>, ends about <b><Time at={estimate.estimated_end} full /></b> with {plural(estimate.calls, 'call')}.</> : '.'}
				</p>
			) : <p>{preview.contacts > 0 ? 'No contact that waits can be planned.' : 'No contact waits.'}</p>}
			{preview.warnings.filter(one => one.contacts > 0).map(one => (
				<p key={one.code} className="warn-text">{plural(one.contacts, 'contact')} may be called outside of 8:00 to 21:00 where they are, such as in {zoneName(one.timezone)}: see the hours, and whether they are read in each contact’s own zone.</p>
			))}
			{preview.held && <p className="warn-text">{plural(preview.held.contacts, 'contact')} cannot be planned now: {preview.held.reason}.</p>}
			{preview.days.length > 0 && <>
				<PlanChart label="Contacts planned a day" unit="and expected calls" days={(estimate?.days ?? []).map(day => ({ period: day.date, value: day.calls }))} before={preview.days.map(day => ({ period: day.date, value: day.contacts }))} />
				<ul className="legend"><li><span className="swatch" style={{ background: 'var(--plan)' }} />contacts planned</li>{estimate && <li><span className="swatch" style={{ background: 'var(--accent)' }} />calls expected</li>}</ul>
			</>}
			{preview.never_called.length > 0 && (
				<div>
					<h3>Never called</h3>
					<ul className="soft">
						{preview.never_called.map(one => (
							<li key={one.reason}>{plural(one.contacts, 'contact')}: {reasonText(one.reason)} (
								{one.first_positions.map((position, index) => <span key={position}>{index > 0 && ', '}<Link to={`/campaigns/${campaign.id}/contacts/${position}`}>{count(position)}</Link></span>)}
								{one.contacts > one.first_positions.length && ', …'})</li>
						))}
					</ul>
				</div>
			)}
		</>
	)
}

export function Plan({ campaign }: { campaign: BatchCall }) {
	const isOver = ['completed', 'failed', 'cancelled'].includes(campaign.status)
	if (isOver) return <Card><Empty title="Nothing is planned any more">The campaign is over.</Empty></Card>
	if (campaign.total_contacts === 0) return <Card><Empty title="Nothing to plan yet" actions={<Link to={`/campaigns/${campaign.id}/add`} className="button primary">Add contacts</Link>}>The plan is made of the contacts that wait.</Empty></Card>
	return <Card title="Forecast"><Forecast campaign={campaign} turn={campaign.updated_at} /></Card>
}

export function History({ campaign }: { campaign: BatchCall }) {
	const { data, error } = useLive<BatchCallHistoryEntry[]>(`/batch-calls/${campaign.id}/history?limit=100`, 15_000)
	if (error && !data) return <Failure error={error} what="The history" />
	return (
		<Card flush label="History">
			{!data ? <div style={{ padding: 18 }}><Skeleton /></div> : data.length === 0 ? <Empty title="Nothing has happened yet" /> : (
				<Table label="History" rows={data} keyOf={row => `${row.at} ${row.from} ${row.to}`} columns={[
					{ title: 'When', className: 'tight', cell: row => <Time at={row.at} seconds /> },
					{ title: 'What', cell: row => historyText(row) },
					{ title: 'By', className: 'tight', cell: row => <By entry={row} /> },
				]} />
			)}
		</Card>
	)
}

function historyText(row: BatchCallHistoryEntry) {
	const word = (status: BatchCallStatus) => campaignWords[status].text
	return (
		<>
			<span>{row.from === null ? 'created' : row.from === row.to ? 'settings changed' : `${word(row.from)} → ${word(row.to)}`}</span>
			{row.reason && <span className="soft"> {row.reason}</span>}
			<Changes of={row.changes} />
		</>
	)
}
