// Deliveries that were sent to webhooks, or wait to be sent.

import type { Delivery, DeliveryStatus, DeliveryWithTries, EventType } from 'api-types'
import { useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count } from '../base/text'
import { deliveryWords, eventWords, momentary } from '../base/words'
import { ActButton } from '../parts/actions'
import { Card, Empty, Failure, Link, Name, PageHead, Skeleton, Status } from '../parts/basics'
import { Select } from '../parts/form'
import { Pager, Table } from '../parts/table'
import { Time } from '../parts/time'
import { toast } from '../parts/toast'
import { Tries } from './calls'

const LIMIT = 50

export const mayRedeliver = (delivery: Pick<Delivery, 'event_type'>) => !momentary.includes(delivery.event_type)

export function Deliveries({ webhookId }: { webhookId: string | null }) {
	const { query: words } = usePlace()
	const [day, setDay] = useState('')
	const page = Math.max(1, Number(words.get('page')) || 1)
	const status = words.get('status') ?? '', event = words.get('event') ?? ''
	const path = (webhookId ? `/webhooks/${webhookId}/deliveries` : '/webhooks/deliveries') + query({
		status, event_type: event, created_after: day ? new Date(day + 'T00:00').toISOString() : null, limit: LIMIT, offset: (page - 1) * LIMIT || null,
	})
	const { data, reply, error } = useLive<Delivery[]>(path, 8000)
	return (
		<>
			<div className="filters" style={{ padding: '12px 18px' }}>
				<div className="chips" role="group" aria-label="State" style={{ marginInline: 0, padding: 0 }}>
					{(['', 'waiting', 'failed', 'delivered'] as ('' | DeliveryStatus)[]).map(one => <button key={one} type="button" className="chip" aria-pressed={status === one} onClick={() => setQuery({ status: one, page: null })}>{one === '' ? 'All' : deliveryWords[one].text}</button>)}
				</div>
				<div className="inline">
					<Select hideLabel label="Event" value={event} onChange={value => setQuery({ event: value, page: null })}>
						<option value="">Every event</option>
						{(Object.keys(eventWords) as EventType[]).map(one => <option key={one} value={one}>{eventWords[one]}</option>)}
					</Select>
					<input className="input" type="date" aria-label="Since" value={day} onChange={change => setDay(change.target.value)} />
				</div>
			</div>
			{error && !data ? <Failure error={error} what="The deliveries" /> : !data ? <div style={{ padding: 18 }}><Skeleton rows={5} /></div>
				: data.length === 0 ? <Empty title={status || event || day ? 'No delivery matches' : 'Nothing was sent yet'} />
				: <>
					<Table label="Deliveries" rows={data} keyOf={row => row.id} onOpen={row => go('/webhooks/deliveries/' + row.id)} columns={[
						{ title: 'Event', cell: row => <><Link to={'/webhooks/deliveries/' + row.id} className="name" data-row>{eventWords[row.event_type]}</Link><div className="sub"><code>{row.event_type}</code></div></> },
						{ title: 'State', className: 'tight', cell: row => <Status word={deliveryWords[row.status]} /> },
						{ title: 'Answer', className: 'number tight off-narrow', cell: row => row.response_status ?? '–' },
						{ title: 'Tries', className: 'number tight off-narrow', cell: row => count(row.attempts) },
						{ title: 'Message', className: 'wide', cell: row => <span className="soft wrap">{row.error ? <Name>{row.error}</Name> : ''}{row.next_try_at && <> next <Time at={row.next_try_at} seconds /></>}</span> },
						{ title: 'When', className: 'tight', cell: row => <span className="soft"><Time at={row.created_at} seconds /></span> },
					]} />
					{reply?.pagination && <Pager total={reply.pagination.total} isExact={reply.pagination.total_is_exact} limit={LIMIT} page={page} />}
				</>}
		</>
	)
}

export function OneDelivery({ id }: { id: string }) {
	const { data, error } = useLive<DeliveryWithTries>('/webhooks/deliveries/' + id, 4000)
	const mayWrite = useMay('write')
	if (error && !data) return <><PageHead name="Delivery" title={error.status === 404 ? 'There is no such delivery in this organisation' : 'Delivery'} crumb={<Link to="/webhooks">Webhooks</Link>} />{error.status !== 404 && <Failure error={error} what="The delivery" />}</>
	if (!data) return <><PageHead name="Delivery" title="Delivery" crumb={<Link to="/webhooks">Webhooks</Link>} /><Skeleton rows={6} /></>
	return (
		<>
			<PageHead name={eventWords[data.event_type]} title={eventWords[data.event_type]} crumb={<><Link to="/webhooks">Webhooks</Link> · <Link to={'/webhooks/' + data.webhook_id}>its webhook</Link></>} after={<Status word={deliveryWords[data.status]} pill />}
				below={<><code>{data.event_type}</code> · <Time at={data.created_at} seconds full /></>}
				actions={mayWrite && mayRedeliver(data) && data.status !== 'waiting' && <ActButton text="Send again" run={async () => { await change('POST', `/webhooks/deliveries/${id}/redeliver`); await refresh('/webhooks'); toast('It is on its way again.') }} />} />
			<Card>
				<dl className="facts">
					<dt>Tries</dt><dd>{count(data.attempts)}{data.next_try_at && <>, next <Time at={data.next_try_at} seconds near /></>}</dd>
					<dt>Latest answer</dt><dd>{data.response_status ?? 'none'}{data.error && <>: <Name>{data.error}</Name></>}</dd>
					<dt>webhook-id</dt><dd><code className="wrap">{data.event_id}</code></dd>
				</dl>
			</Card>
			<Card flush title="Tries">{data.tries.length === 0 ? <p className="soft" style={{ padding: '10px 18px 18px' }}>It has not been tried yet.</p> : <Tries tries={data.tries} />}</Card>
			<Card title="What it carries"><pre tabIndex={0} aria-label="Body"><bdi>{JSON.stringify(data.data, null, 2)}</bdi></pre></Card>
		</>
	)
}
