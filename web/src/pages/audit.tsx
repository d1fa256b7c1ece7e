// Who changed what, and when: the changes with keys and by operators.

import type { AuditAction, AuditEntry, AuditObject } from 'api-types'
import { useState } from 'react'
import { useLive } from '../base/poll'
import { query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { actionWords, objectWords } from '../base/words'
import { Card, Empty, Failure, Link, Name, Skeleton } from '../parts/basics'
import { By, Changes } from '../parts/changes'
import { Select } from '../parts/form'
import { Pager, Table } from '../parts/table'
import { Time } from '../parts/time'

const LIMIT = 50

const PLACES: Partial<Record<AuditObject, (id: string) => string>> = {
	campaign: id => `/campaigns/${id}/history`, agent: id => '/agents/' + id, webhook: id => '/webhooks/' + id,
	delivery: id => '/webhooks/deliveries/' + id, folder: id => '/contacts/folders/' + id, contact: id => '/contacts/' + id,
	call: id => '/calls/' + id, number: () => '/numbers', do_not_call: () => '/do-not-call', key: () => '/settings/keys',
	organization: () => '/settings/limits',
}

export function Audit() {
	const mayAdmin = useMay('admin')
	if (!mayAdmin) return <Card><Empty title="Your key may not see the audit log">It lacks the scope “admin”. The history of a campaign shows who changed it.</Empty></Card>
	return <Card flush label="Audit log"><Entries /></Card>
}

function Entries() {
	const { query: words } = usePlace()
	const [day, setDay] = useState('')
	const page = Math.max(1, Number(words.get('page')) || 1)
	const object = words.get('object') ?? '', action = words.get('action') ?? ''
	const { data, reply, error } = useLive<AuditEntry[]>('/audit-log' + query({
		object, action, created_after: day ? new Date(day + 'T00:00').toISOString() : null, limit: LIMIT, offset: (page - 1) * LIMIT || null,
	}), 15_000)
	return (
		<>
			<div className="filters" style={{ padding: '12px 18px' }}>
				<div className="inline">
					<Select hideLabel label="Object" value={object} onChange={value => setQuery({ object: value, page: null })}>
						<option value="">Everything</option>
						{(Object.keys(objectWords) as AuditObject[]).map(one => <option key={one} value={one}>{objectWords[one]}</option>)}
					</Select>
					<Select hideLabel label="Action" value={action} onChange={value => setQuery({ action: value, page: null })}>
						<option value="">Every action</option>
						{(Object.keys(actionWords) as AuditAction[]).map(one => <option key={one} value={one}>{actionWords[one]}</option>)}
					</Select>
					<input className="input" type="date" aria-label="Since" value={day} onChange={change => { setDay(change.target.value); setQuery({ page: null }) }} />
				</div>
			</div>
			{error && !data ? <Failure error={error} what="The audit log" /> : !data ? <div style={{ padding: 18 }}><Skeleton rows={5} /></div>
				: data.length === 0 ? <Empty title={object || action || day ? 'No entry matches' : 'Nothing was changed yet'} />
				: <>
					<Table label="Audit log" rows={data} keyOf={row => JSON.stringify(row)} columns={[
						{ title: 'When', className: 'tight', cell: row => <Time at={row.at} seconds /> },
						{ title: 'Object', className: 'tight', cell: row => <Thing entry={row} /> },
						{ title: 'What', className: 'wide', cell: row => <What entry={row} /> },
						{ title: 'By', className: 'tight', cell: row => <><By entry={row} />{row.address && <div className="sub">{row.address}</div>}</> },
					]} />
					{reply?.pagination && <Pager total={reply.pagination.total} isExact={reply.pagination.total_is_exact} limit={LIMIT} page={page} />}
				</>}
		</>
	)
}

function Thing({ entry }: { entry: AuditEntry }) {
	const place = PLACES[entry.object]
	if (!place || !entry.object_id || entry.action === 'deleted') return <>{objectWords[entry.object]}</>
	return <Link to={place(entry.object_id)}>{objectWords[entry.object]}</Link>
}

function What({ entry }: { entry: AuditEntry }) {
	return (
		<>
			<span>{actionWords[entry.action]}</span>
			{entry.from && entry.to && entry.from !== entry.to && <span className="soft"> {entry.from} → {entry.to}</span>}
			{entry.reason && <span className="soft"> <Name>{entry.reason}</Name></span>}
			<Changes of={entry.changes} />
		</>
	)
}
