// Stacked columns of how calls ended, by hour or by day; and columns of a plan. Pointer and arrow keys read a column.

import scaleLinear from 'd3-scale/src/linear'
import stack from 'd3-shape/src/stack'
import utcDay from 'd3-time/src/utcDay'
import utcHour from 'd3-time/src/utcHour'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import { count } from '../base/text'
import { DAYS, MONTHS } from '../base/time'
import { endings, outcomeWords, type Ending } from '../base/words'

export type Period = { period: string } & Record<Ending, number>

export interface Planned { period: string; value: number }

const HEIGHT = 190
const LEFT = 44
const RIGHT = 12
const TOP = 14
const FOOT = 24
const MOST = 400
const WIDEST = 48

// A period is a wall-clock time. It is drawn as if it were UTC, so a change of the clock does not matter.
const timeOf = (period: string) => Date.parse(period.length === 10 ? period + 'T00:00Z' : period + 'Z')

export function useWidth<E extends Element>(): [React.RefObject<E>, number] {
	const place = useRef<E>(null)
	const [width, setWidth] = useState(0)
	useLayoutEffect(() => {
		const element = place.current
		if (!element) return
		const sizes = new ResizeObserver(() => setWidth(Math.floor(element.getBoundingClientRect().width)))
		sizes.observe(element)
		setWidth(Math.floor(element.getBoundingClientRect().width))
		return () => sizes.disconnect()
	}, [])
	return [place, width]
}

function labelOf(time: number, isDay: boolean): string {
	const date = new Date(time)
	const day = `${DAYS[(date.getUTCDay() + 6) % 7]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`
	return isDay ? day : `${day}, ${String(date.getUTCHours()).padStart(2, '0')}:00`
}

function shortLabel(time: number, isDay: boolean): string {
	const date = new Date(time)
	const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`
	return isDay || date.getUTCHours() === 0 ? day : `${String(date.getUTCHours()).padStart(2, '0')}:00`
}

// Every period from the first to the last, also periods without calls.
export function filled(series: Period[], planned: Planned[], isDay: boolean, nowPeriod: string | null): number[] {
	const times = [...series.map(one => timeOf(one.period)), ...planned.map(one => timeOf(one.period)), ...(nowPeriod ? [timeOf(nowPeriod)] : [])]
	if (times.length === 0) return []
	const step = isDay ? utcDay : utcHour
	const first = step.floor(new Date(Math.min(...times))), last = step.floor(new Date(Math.max(...times)))
	const least = isDay ? 7 : 12
	const end = step.offset(new Date(Math.max(+last, +step.offset(first, least - 1))), 1)
	return step.range(first, end).slice(-MOST).map(Number)
}

export function CallsChart({ series, planned = [], isDay, nowPeriod, label }: {
	series: Period[]; planned?: Planned[]; isDay: boolean; nowPeriod: string | null; label: string
}) {
	const [place, width] = useWidth<HTMLDivElement>()
	const [at, setAt] = useState<number | null>(null)
	const reading = useId()
	const isHeld = at !== null
	// The chart does not move while a column is selected.
	const held = useRef({ series, planned, nowPeriod })
	if (!isHeld) held.current = { series, planned, nowPeriod }
	const shown = held.current

	const times = filled(shown.series, shown.planned, isDay, shown.nowPeriod)
	const byTime = new Map(shown.series.map(one => [timeOf(one.period), one]))
	const planByTime = new Map(shown.planned.map(one => [timeOf(one.period), one.value]))
	const inner = Math.max(40, width - LEFT - RIGHT)
	const slot = times.length ? Math.min(inner / times.length, WIDEST + 8) : inner
	const bar = Math.max(1, Math.min(WIDEST, slot * 0.78))
	const most = Math.max(4, ...times.map(time => Math.max(sumOf(byTime.get(time)), planByTime.get(time) ?? 0)))
	const y = scaleLinear().domain([0, most]).nice(4).range([HEIGHT - FOOT, TOP])
	const layers = stack<number, Ending>().keys([...endings]).value((time, ending) => byTime.get(time)?.[ending] ?? 0)(times)
	const every = Math.max(1, Math.ceil(74 / slot))
	const now = shown.nowPeriod ? times.indexOf(timeOf(shown.nowPeriod)) : -1

	useEffect(() => setAt(null), [isDay])
	const move = (event: React.KeyboardEvent) => {
		const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }
		if (!(event.key in steps)) return
		event.preventDefault()
		event.stopPropagation()
		setAt(old => Math.max(0, Math.min(times.length - 1, (old ?? times.length - 1) + steps[event.key])))
	}
	return (
		<div>
			<div className="chart" ref={place} tabIndex={0} role="group" aria-label={`${label}. Arrow keys read a column.`} aria-describedby={reading}
				onKeyDown={move} onFocus={() => setAt(old => old ?? Math.max(0, now < 0 ? times.length - 1 : now))} onBlur={() => setAt(null)} onPointerLeave={event => { if (document.activeElement !== event.currentTarget) setAt(null) }}>
				{width > 0 && (
					<svg width={width} height={HEIGHT} aria-hidden="true">
						{y.ticks(4).filter(Number.isInteger).map(tick => (
							<g key={tick} transform={`translate(0,${Math.round(y(tick))})`}>
								<line className={tick === 0 ? 'axis' : 'grid'} x1={LEFT} x2={width - RIGHT} />
								<text x={LEFT - 8} dy="0.35em" textAnchor="end">{count(tick)}</text>
							</g>
						))}
						{times.map((time, index) => planByTime.has(time) &&
							<rect key={'p' + time} className="plan" x={LEFT + index * slot + (slot - bar) / 2} width={bar} y={y(planByTime.get(time)!)} height={y(0) - y(planByTime.get(time)!)} rx="2" />)}
						{layers.map(layer => (
							<g key={layer.key} className={'end-' + layer.key}>
								{layer.map(([from, to], index) => to > from &&
									<rect key={index} x={LEFT + index * slot + (slot - bar) / 2} width={bar} y={y(to)} height={Math.max(1, y(from) - y(to) - (from > 0 ? 1 : 0))} rx="1.5" />)}
							</g>
						))}
						{now >= 0 && <>
							<line className="now" x1={LEFT + (now + 1) * slot} x2={LEFT + (now + 1) * slot} y1={TOP - 8} y2={HEIGHT - FOOT} />
						</>}
						{times.map((time, index) => index % every === 0 && LEFT + index * slot + slot / 2 < width - 24 &&
							<text key={time} x={LEFT + index * slot + slot / 2} y={HEIGHT - 6} textAnchor="middle">{shortLabel(time, isDay)}</text>)}
						{times.map((time, index) =>
							<rect key={'h' + time} className={`hit ${at === index ? 'on' : ''}`} x={LEFT + index * slot} width={slot} y={TOP - 8} height={HEIGHT - FOOT - TOP + 8} onPointerEnter={() => setAt(index)} />)}
					</svg>
				)}
			</div>
			<p className="chart-reading" id={reading} aria-live="polite">{at !== null && times[at] !== undefined && read(times[at], isDay, byTime.get(times[at]), planByTime.get(times[at]))}</p>
		</div>
	)
}

const sumOf = (period: Period | undefined) => period ? endings.reduce((sum, ending) => sum + (period[ending] ?? 0), 0) : 0

function read(time: number, isDay: boolean, period: Period | undefined, planned: number | undefined): string {
	const parts = endings.filter(ending => period?.[ending]).map(ending => `${outcomeWords[ending]} ${count(period![ending])}`)
	const plan = planned ? [`planned ${count(planned)}`] : []
	return `${labelOf(time, isDay)}: ${count(sumOf(period))} calls` + ([...parts, ...plan].length ? ` · ${[...parts, ...plan].join(' · ')}` : '')
}

export function EndingLegend({ plan }: { plan?: boolean }) {
	return (
		<ul className="legend">
			{endings.map(ending => <li key={ending}><span className={`swatch end-${ending}`} />{outcomeWords[ending]}</li>)}
			{plan && <li><span className="swatch" style={{ background: 'var(--plan)' }} />planned</li>}
		</ul>
	)
}

// The same numbers as a table.
export function CallsTable({ series, isDay, label }: { series: Period[]; isDay: boolean; label: string }) {
	return (
		<div className="scroll" tabIndex={0} role="region" aria-label={label}>
			<table className="table plain">
				<thead><tr><th scope="col">{isDay ? 'Day' : 'Hour'}</th>{endings.map(ending => <th key={ending} scope="col" className="number">{outcomeWords[ending]}</th>)}<th scope="col" className="number">All</th></tr></thead>
				<tbody>
					{series.map(one => (
						<tr key={one.period}><th scope="row" className="nowrap">{labelOf(timeOf(one.period), isDay)}</th>
							{endings.map(ending => <td key={ending} className="number">{count(one[ending])}</td>)}<td className="number strong">{count(sumOf(one))}</td></tr>
					))}
				</tbody>
			</table>
		</div>
	)
}

// Columns of one kind, or of two beside each other: before and after.
export function PlanChart({ days, before, label, unit }: { days: Planned[]; before?: Planned[]; label: string; unit: string }) {
	const [place, width] = useWidth<HTMLDivElement>()
	const names = [...new Set([...days, ...(before ?? [])].map(day => day.period))].sort().slice(0, MOST)
	const after = new Map(days.map(day => [day.period, day.value])), old = new Map(before?.map(day => [day.period, day.value]))
	const most = Math.max(4, ...after.values(), ...old.values())
	const y = scaleLinear().domain([0, most]).nice(3).range([130, 10])
	const slot = Math.min(Math.max(1, width - LEFT - RIGHT) / Math.max(1, names.length), WIDEST + 10)
	const half = before ? slot * 0.38 : slot * 0.76
	const every = Math.max(1, Math.ceil(66 / slot))
	const text = names.slice(0, 40).map(name => `${name}: ${count(after.get(name) ?? 0)}${before ? ` instead of ${count(old.get(name) ?? 0)}` : ''}`).join('; ')
	return (
		<div className="chart" ref={place} role="img" aria-label={`${label}, ${unit}: ${text}`}>
			{width > 0 && (
				<svg width={width} height={156} aria-hidden="true">
					{y.ticks(3).filter(Number.isInteger).map(tick => (
						<g key={tick} transform={`translate(0,${Math.round(y(tick))})`}><line className={tick === 0 ? 'axis' : 'grid'} x1={LEFT} x2={width - RIGHT} /><text x={LEFT - 8} dy="0.35em" textAnchor="end">{count(tick)}</text></g>
					))}
					{names.map((name, index) => {
						const x = LEFT + index * slot + slot * 0.12
						return (
							<g key={name}>
								{before && <rect className="plan" x={x} width={half} y={y(old.get(name) ?? 0)} height={y(0) - y(old.get(name) ?? 0)} rx="1.5" />}
								<rect fill="var(--accent)" x={before ? x + half : x} width={half} y={y(after.get(name) ?? 0)} height={y(0) - y(after.get(name) ?? 0)} rx="1.5" />
								{index % every === 0 && x < width - 30 && <text x={LEFT + index * slot + slot / 2} y={150} textAnchor="middle">{shortLabel(timeOf(name), true)}</text>}
							</g>
						)
					})}
				</svg>
			)}
		</div>
	)
}
