// All campaigns: the state and the actions of each in its row.

import type { Agent, BatchCall, BatchCallStatus } from 'api-types'
import { useEffect, useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count, percent, plural } from '../base/text'
import { campaignWords, gateWord } from '../base/words'
import { askCancel, heldText, may, pause, PrimaryAction, resume } from '../parts/actions'
import { Card, Empty, Failure, Link, Name, PageHead, Skeleton, Status, useRested } from '../parts/basics'
import { ask } from '../parts/dialog'
import { Select } from '../parts/form'
import { Icon } from '../parts/icon'
import { doneOf, ProgressBar } from '../parts/progress'
import { Pager, Table, type Column } from '../parts/table'
import { CampaignZone, Time } from '../parts/time'
import { toast } from '../parts/toast'

const LIMIT = 50
const FIELDS = 'id,name,status,status_reason,timezone,total_contacts,called,pending,in_progress,completed,failed,voicemail,no_answer,busy,cancelled,skipped,max_concurrent_calls,places,held_by,held_until,planned_from,planned_until,started_at,completed_at,created_at'

const TABS: [string, string, BatchCallStatus[]][] = [
	['', 'All', []], ['active', 'Active', ['active']], ['scheduled', 'Scheduled', ['scheduled']], ['paused', 'Paused', ['paused']],
	['draft', 'Draft', ['draft']], ['over', 'Over', ['completed', 'failed', 'cancelled']],
]

const SORTS: [string, string][] = [
	['', 'Newest'], ['created_at.asc', 'Oldest'], ['name.asc', 'Name'], ['updated_at.desc', 'Changed last'],
	['planned_from.asc', 'Starts first'], ['progress.desc', 'Furthest'],
]

export function Campaigns() {
	const { query: words } = usePlace()
	const mayWrite = useMay('write')
	const [typed, setTyped] = useState(words.get('q') ?? '')
	const search = useRested(typed.trim(), 300)
	const page = Math.max(1, Number(words.get('page')) || 1)
	const tab = TABS.find(([name]) => name === (words.get('status') ?? '')) ?? TABS[0]
	const [sortBy, order] = (words.get('sort') ?? '').split('.')
	const path = '/batch-calls' + query({
		search: words.get('q'), status: tab[2].join(','), agent_id: words.get('agent'), sort_by: sortBy, order: sortBy ? order : '',
		limit: LIMIT, offset: (page - 1) * LIMIT || null, fields: FIELDS,
	})
	const { data, reply, error } = useLive<BatchCall[]>(path, 5000)
	const agents = useLive<Agent[]>('/agents?limit=100')
	const [chosen, setChosen] = useState<Map<string, BatchCall>>(new Map())

	useEffect(() => {
		if (search !== (words.get('q') ?? '')) setQuery({ q: search, page: null })
	}, [search])
	useEffect(() => setTyped(old => old.trim() === (words.get('q') ?? '') ? old : words.get('q') ?? ''), [words])

	const counts = reply?.meta.counts
	const totalOf = (states: BatchCallStatus[]) => counts && (states.length === 0 ? Object.values(counts) : states.map(state => counts[state] ?? 0)).reduce((a, b) => a + b, 0)
	const isNarrowed = !!(words.get('q') || words.get('status') || words.get('agent'))
	const clear = () => { setTyped(''); setQuery({ q: null, status: null, agent: null, page: null }) }
	const choose = (campaign: BatchCall, isOn: boolean) => setChosen(old => {
		const next = new Map(old)
		if (isOn) next.set(campaign.id, campaign)
		else next.delete(campaign.id)
		return next
	})
	const columns: Column<BatchCall>[] = [
		...(mayWrite ? [{
			title: <span className="hidden">Choose</span>, className: 'tight off-narrow',
			cell: (row: BatchCall) => <input type="checkbox" aria-label={`Choose ${row.name}`} checked={chosen.has(row.id)} onChange={event => choose(row, event.target.checked)} />,
		}] : []),
		{ title: 'Name', cell: row => <NameCell row={row} /> },
		{ title: 'State', className: 'tight', cell: row => <Status word={campaignWords[row.status]} pill /> },
		{ title: 'Progress', className: 'wide progress-cell', cell: row => <Progress row={row} /> },
		{ title: 'In flight', className: 'number tight off-narrow', cell: row => ['active', 'scheduled', 'paused'].includes(row.status) ? <>{count(row.in_progress)} of {heldText(row)}</> : <span className="faint">–</span> },
		{ title: 'Reached', className: 'number tight off-narrow', cell: row => row.called ? percent(row.completed / row.called) : <span className="faint">–</span> },
		{ title: 'Ends or next', className: 'tight', cell: row => <EndCell row={row} /> },
		...(mayWrite ? [{ title: <span className="hidden">Action</span>, className: 'tight end off-narrow', cell: (row: BatchCall) => ['draft'].includes(row.status) ? null : <PrimaryAction campaign={row} small /> }] : []),
	]
	return (
		<>
			<PageHead name="Campaigns" title={<>Campaigns{counts && <span className="count"> {count(totalOf([]))}</span>}</>}
				actions={mayWrite && <Link to="/campaigns/new" className="button primary"><Icon name="plus" />New campaign</Link>} />
			{mayWrite && <button type="button" hidden data-key="n" onClick={() => go('/campaigns/new')}>New campaign</button>}
			<div className="filters">
				<div className="search"><Icon name="search" /><input className="input" type="search" aria-label="Search by name" placeholder="Search by name" value={typed} onChange={event => setTyped(event.target.value)} /></div>
				<div className="chips" role="group" aria-label="State">
					{TABS.map(([name, text, states]) => (
						<button key={name} type="button" className="chip" aria-pressed={tab[0] === name} onClick={() => setQuery({ status: name, page: null })}>
							{text}{counts && <span className="count">{count(totalOf(states))}</span>}
						</button>
					))}
				</div>
				<div className="inline">
					<Select hideLabel label="Agent" value={words.get('agent') ?? ''} onChange={value => setQuery({ agent: value, page: null })}>
						<option value="">Every agent</option>
						{agents.data?.map(agent => <option key={agent.id} value={agent.id}>{agent.name}</option>)}
					</Select>
					<Select hideLabel label="Order" value={words.get('sort') ?? ''} onChange={value => setQuery({ sort: value, page: null })}>
						{SORTS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
					</Select>
				</div>
				{isNarrowed && <button type="button" className="button quiet small" data-key="Escape" onClick={clear}>Clear filters</button>}
			</div>
			{chosen.size > 0 && <Bulk chosen={[...chosen.values()].map(old => data?.find(row => row.id === old.id) ?? old)} onDone={() => setChosen(new Map())} />}
			<Card flush label="Campaigns">
				{error && !data ? <Failure error={error} what="The list" />
					: !data ? <div style={{ padding: 18 }}><Skeleton rows={10} height={34} /></div>
					: data.length === 0 ? (isNarrowed
						? <Empty title="No campaign matches" actions={<button type="button" className="button" onClick={clear}>Clear filters</button>}>Try other words, or all states.</Empty>
						: <Empty title="No campaigns yet" actions={mayWrite && <Link to="/campaigns/new" className="button primary"><Icon name="plus" />New campaign</Link>}>A campaign calls each of its contacts when its rules allow it.</Empty>)
					: <>
						<Table label="Campaigns" columns={columns} rows={data} keyOf={row => row.id} onOpen={row => go('/campaigns/' + row.id)} chosen={row => chosen.has(row.id)} />
						{reply?.pagination && <Pager total={reply.pagination.total} isExact={reply.pagination.total_is_exact} limit={LIMIT} page={page} />}
					</>}
			</Card>
		</>
	)
}

function NameCell({ row }: { row: BatchCall }) {
	const why = whyText(row)
	return (
		<div>
			<Link to={'/campaigns/' + row.id} className="name" data-row><Name>{row.name}</Name></Link>
			{why && <div className={`sub ${why.isBad ? 'bad-text' : ''}`}>{why.text}</div>}
		</div>
	)
}

// Says in a few words why the campaign does not call.
function whyText(row: BatchCall): { text: string; isBad?: boolean } | null {
	if (row.status === 'failed') return { text: row.status_reason ?? 'failed', isBad: true }
	if (row.held_by && ['active', 'scheduled'].includes(row.status)) {
		const word = gateWord(row.held_by)
		if (row.held_by === 'free_place') return { text: 'all places taken' }
		if (row.held_by === 'pacing' || row.held_by === 'number_pacing') return { text: 'paced' }
		const texts: Partial<Record<typeof row.held_by, string>> = {
			dialer_health: 'the dialer does not answer', dialer_room: 'its webhook is switched off', dialer: 'the agent names no dialer',
			number: 'no number is left', calling_window: 'outside of its hours', contact_window: 'outside of its hours',
			daily_cap: 'today’s calls are made', scheduled_start: 'its start is ahead',
		}
		return { text: texts[row.held_by] ?? word.name.toLowerCase(), isBad: word.tone === 'bad' }
	}
	return row.status_reason ? { text: row.status_reason } : null
}

function Progress({ row }: { row: BatchCall }) {
	if (row.total_contacts === 0) return <span className="faint">no contacts</span>
	return (
		<div style={{ minWidth: 150 }}>
			<ProgressBar campaign={row} />
			<div className="sub">{count(doneOf(row))} of {count(row.total_contacts)}</div>
		</div>
	)
}

function EndCell({ row }: { row: BatchCall }) {
	return (
		<CampaignZone.Provider value={row.timezone}>
			<span className="soft small">
				{row.completed_at ? <Time at={row.completed_at} />
					: row.held_until ? <>from <Time at={row.held_until} /></>
					: row.status === 'active' && row.planned_until ? <>~ <Time at={row.planned_until} /></>
					: row.status === 'scheduled' && row.planned_from ? <Time at={row.planned_from} /> : <span className="off-narrow-text">–</span>}
			</span>
		</CampaignZone.Provider>
	)
}

function Bulk({ chosen, onDone }: { chosen: BatchCall[]; onDone: () => void }) {
	const [refusals, setRefusals] = useState<string[]>([])
	const each = async (verb: string, rows: BatchCall[], run: (row: BatchCall) => Promise<unknown>) => {
		const lines: string[] = []
		for (const row of rows) {
			try {
				await run(row)
			} catch (error) {
				lines.push(`${row.name}: ${error instanceof Error ? error.message : error}`)
			}
		}
		setRefusals(lines)
		await refresh('/batch-calls')
		toast(`${verb}: ${rows.length - lines.length} of ${rows.length}.`)
		if (lines.length === 0) onDone()
	}
	const withVerb = (verb: Parameters<typeof may>[0]) => chosen.filter(row => may(verb, row))
	const remove = async (rows: BatchCall[]) => {
		const { refused } = await change<{ refused: { id: string; message: string }[] }>('POST', '/batch-calls/bulk-delete', { body: { ids: rows.map(row => row.id) } })
		setRefusals(refused.map(one => `${rows.find(row => row.id === one.id)?.name}: ${one.message}`))
		await refresh('/batch-calls')
		toast(`Deleted: ${rows.length - refused.length} of ${rows.length}.`)
		if (refused.length === 0) onDone()
	}
	const pausable = withVerb('pause'), resumable = withVerb('resume'), cancellable = withVerb('cancel'), deletable = withVerb('delete')
	return (
		<div className="notice info">
			<div className="grow">
				<div className="inline">
					<span className="strong">{plural(chosen.length, 'campaign')} chosen</span>
					{pausable.length > 0 && <button type="button" className="button small" onClick={() => void each('Paused', pausable, row => pause(row))}>Pause {pausable.length}</button>}
					{resumable.length > 0 && <button type="button" className="button small" onClick={() => void each('Resumed', resumable, row => resume(row))}>Resume {resumable.length}</button>}
					{cancellable.length === 1 && <button type="button" className="button small danger" onClick={() => askCancel(cancellable[0])}>Cancel…</button>}
					{cancellable.length > 1 && <button type="button" className="button small danger" onClick={() => ask({
						title: `Cancel ${cancellable.length} campaigns?`, verb: 'Cancel them', text: `${plural(cancellable.reduce((sum, row) => sum + row.pending, 0), 'contact')} will not be called. This cannot be undone.`,
						run: () => each('Cancelled', cancellable, row => change('POST', `/batch-calls/${row.id}/cancel`)),
					})}>Cancel {cancellable.length}…</button>}
					{deletable.length > 0 && <button type="button" className="button small danger" onClick={() => ask({
						title: `Delete ${plural(deletable.length, 'campaign')}?`, verb: 'Delete', text: 'Their contacts, calls and figures go with them. This cannot be undone.', run: () => remove(deletable),
					})}>Delete {deletable.length}…</button>}
					<button type="button" className="button small quiet" onClick={onDone}>Choose none</button>
				</div>
				{refusals.map(line => <p key={line} className="bad-text small">{line}</p>)}
			</div>
		</div>
	)
}
