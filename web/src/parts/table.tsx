// Tables: the pages of a list, and long lists. Only the rows of a long list that are in sight are in the document.

import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import type { ApiError } from '../base/api'
import { useLive } from '../base/poll'
import { usePrefs } from '../base/prefs'
import { setQuery } from '../base/route'
import { count } from '../base/text'
import { Failure, Skeleton } from './basics'
import { Icon } from './icon'

export interface Column<T> {
	title: ReactNode
	cell: (row: T, index: number) => ReactNode
	width?: string // for a long table, whose columns do not adapt to their content
	className?: string
}

export function Table<T>({ label, columns, rows, keyOf, onOpen, chosen, plain }: {
	label: string; columns: Column<T>[]; rows: T[]; keyOf: (row: T) => string; onOpen?: (row: T) => void
	chosen?: (row: T) => boolean; plain?: boolean
}) {
	return (
		<table className={`table ${plain ? 'plain' : ''}`} aria-label={label}>
			<thead><tr>{columns.map((column, index) => <th key={index} scope="col" className={column.className}>{column.title}</th>)}</tr></thead>
			<tbody>
				{rows.map((row, at) => (
					<tr key={keyOf(row)} className={`row-line ${onOpen ? 'row' : ''} ${chosen?.(row) ? 'chosen' : ''}`} onClick={onOpen && (event => openRow(event, () => onOpen(row)))}>
						{columns.map((column, index) => <td key={index} className={column.className}>{column.cell(row, at)}</td>)}
					</tr>
				))}
			</tbody>
		</table>
	)
}

// A click on a row opens it, but not a click on a link or button in it, or at the end of a selection of text.
function openRow(event: React.MouseEvent, open: () => void) {
	if ((event.target as Element).closest('a, button, input, label, summary') || getSelection()?.toString()) return
	open()
}

export function Pager({ total, isExact, limit, page }: { total: number; isExact: boolean; limit: number; page: number }) {
	const pages = Math.max(1, Math.ceil(total / limit))
	if (pages <= 1) return null
	const to = (next: number) => {
		setQuery({ page: next > 1 ? next : null }, { replace: false })
		document.getElementById('main')?.scrollIntoView()
	}
	return (
		<nav className="table-foot" aria-label="Pages">
			<span>{count((page - 1) * limit + 1)}–{count(Math.min(page * limit, total))} of {isExact ? '' : 'more than '}{count(total)}</span>
			<span className="buttons">
				<button type="button" className="button small" disabled={page <= 1} onClick={() => to(page - 1)}><Icon name="left" />Previous</button>
				<span className="nowrap">Page {count(page)} of {count(pages)}</span>
				<button type="button" className="button small" disabled={page >= pages} onClick={() => to(page + 1)}>Next<Icon name="right" /></button>
			</span>
		</nav>
	)
}

const PAGE = 100
const BEYOND = 6 // rows above and below those in sight
const TALLEST = 16_000_000
const REST_MS = 60

interface LongProps<T> {
	label: string
	columns: Column<T>[]
	pathOf: (offset: number, limit: number) => string
	ms: number
	onOpen: (row: T) => void
	isOpen?: (row: T) => boolean
	goTo?: number | null // an index to scroll to
	empty: ReactNode
	onTotal?: (total: number) => void
	what: string
}

export function LongTable<T>(props: LongProps<T>) {
	const { pages } = usePrefs()
	return pages ? <PagedTable {...props} /> : <ScrolledTable {...props} />
}

function useNarrow(): boolean {
	const [isNarrow, setNarrow] = useState(() => matchMedia('(max-width: 760px)').matches)
	useEffect(() => {
		const list = matchMedia('(max-width: 760px)')
		const changed = () => setNarrow(list.matches)
		list.addEventListener('change', changed)
		return () => list.removeEventListener('change', changed)
	}, [])
	return isNarrow
}

function ScrolledTable<T>({ label, columns, pathOf, ms, onOpen, isOpen, goTo, empty, onTotal, what }: LongProps<T>) {
	const box = useRef<HTMLDivElement>(null)
	const height = useNarrow() ? 64 : 40
	const [view, setView] = useState({ top: 0, height: 600 })
	const [settled, setSettled] = useState([0])
	const known = useRef({ path: '', rows: new Map<number, T[]>() })
	const basePath = pathOf(0, PAGE)
	if (known.current.path !== basePath) known.current = { path: basePath, rows: new Map() }

	const one = useLive<T[]>(pathOf(settled[0] * PAGE, PAGE), ms)
	const other = useLive<T[]>(settled.length > 1 ? pathOf(settled[1] * PAGE, PAGE) : null, ms)
	if (one.data) known.current.rows.set(settled[0], one.data)
	if (other.data) known.current.rows.set(settled[1], other.data)
	const total = one.reply?.pagination?.total ?? other.reply?.pagination?.total
	const totalRef = useRef(0)
	totalRef.current = total ?? totalRef.current
	const rows = totalRef.current

	const tall = Math.min(rows * height, TALLEST)
	const visible = Math.ceil(view.height / height)
	const isCapped = rows * height > TALLEST
	const firstInSight = isCapped ? Math.round(view.top / Math.max(1, tall - view.height) * Math.max(0, rows - visible)) : Math.floor(view.top / height)
	const first = Math.max(0, Math.min(firstInSight - BEYOND, rows - 1))
	const last = Math.min(rows, firstInSight + visible + BEYOND)
	const above = isCapped ? Math.max(0, view.top - (firstInSight - first) * height) : first * height

	useEffect(() => onTotal?.(rows), [rows, onTotal])
	useEffect(() => {
		const timer = setTimeout(() => {
			const from = Math.floor(first / PAGE), to = Math.floor(Math.max(first, last - 1) / PAGE)
			const next = from === to ? [from] : [from, to]
			setSettled(old => old.join() === next.join() ? old : next)
		}, REST_MS)
		return () => clearTimeout(timer)
	}, [first, last])

	useLayoutEffect(() => {
		const element = box.current
		if (!element) return
		const read = () => setView({ top: element.scrollTop, height: element.clientHeight || 600 })
		const sizes = new ResizeObserver(read)
		sizes.observe(element)
		element.addEventListener('scroll', read, { passive: true })
		read()
		return () => {
			sizes.disconnect()
			element.removeEventListener('scroll', read)
		}
	}, [rows > 0])

	useEffect(() => {
		if (goTo === null || goTo === undefined || !box.current || rows === 0) return
		const index = Math.max(0, Math.min(goTo, rows - 1))
		box.current.scrollTop = isCapped ? index / Math.max(1, rows - visible) * (tall - view.height) : index * height
	}, [goTo, rows > 0])

	if (one.error && !one.data) return <Failure error={one.error as ApiError} what={what} />
	if (one.isLoading && rows === 0) return <div style={{ padding: 18 }}><Skeleton rows={10} height={24} /></div>
	if (rows === 0) return <>{empty}</>
	const indexes = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)
	return (
		<div className="long" ref={box} tabIndex={-1}>
			<table className="table" aria-label={label} aria-rowcount={rows + 1}>
				<thead><tr aria-rowindex={1}>{columns.map((column, index) => <th key={index} scope="col" className={column.className} style={{ width: column.width }}>{column.title}</th>)}</tr></thead>
				<tbody>
					<tr className="spacer" aria-hidden="true" style={{ height: above }}><td colSpan={columns.length} /></tr>
					{indexes.map(index => {
						const row = known.current.rows.get(Math.floor(index / PAGE))?.[index % PAGE]
						return <LongRow key={index} {...{ row, index, columns, onOpen, isOpen, height }} />
					})}
					<tr className="spacer" aria-hidden="true" style={{ height: Math.max(0, tall - above - indexes.length * height) }}><td colSpan={columns.length} /></tr>
				</tbody>
			</table>
		</div>
	)
}

function LongRow<T>({ row, index, columns, onOpen, isOpen, height }: {
	row: T | undefined; index: number; columns: Column<T>[]; onOpen: (row: T) => void; isOpen?: (row: T) => boolean; height: number
}) {
	if (!row)
		return <tr className="row" aria-rowindex={index + 2} style={{ height }}><td colSpan={columns.length}><span className="blank" /></td></tr>
	return (
		<tr className={`row ${isOpen?.(row) ? 'chosen' : ''}`} aria-rowindex={index + 2} style={{ height }} onClick={event => openRow(event, () => onOpen(row))}>
			{columns.map((column, at) => <td key={at} className={column.className}>{column.cell(row, index)}</td>)}
		</tr>
	)
}

function PagedTable<T>({ label, columns, pathOf, ms, onOpen, isOpen, goTo, empty, onTotal, what }: LongProps<T>) {
	const [page, setPage] = useState(() => Math.floor((goTo ?? 0) / PAGE))
	const { reply, data, error, isLoading } = useLive<T[]>(pathOf(page * PAGE, PAGE), ms)
	const total = reply?.pagination?.total ?? 0
	useEffect(() => onTotal?.(total), [total, onTotal])
	useEffect(() => {
		if (goTo !== null && goTo !== undefined) setPage(Math.floor(goTo / PAGE))
	}, [goTo])
	if (error && !data) return <Failure error={error} what={what} />
	if (isLoading || !data) return <div style={{ padding: 18 }}><Skeleton rows={10} height={24} /></div>
	if (total === 0) return <>{empty}</>
	const pages = Math.ceil(total / PAGE)
	return (
		<>
			<Table label={label} columns={columns} rows={data} keyOf={row => String(data.indexOf(row))} onOpen={onOpen} chosen={isOpen} />
			<nav className="table-foot" aria-label="Pages">
				<span>{count(page * PAGE + 1)}–{count(Math.min(total, (page + 1) * PAGE))} of {count(total)}</span>
				<span className="buttons">
					<button type="button" className="button small" disabled={page === 0} onClick={() => setPage(page - 1)}><Icon name="left" />Previous</button>
					<span>Page {count(page + 1)} of {count(pages)}</span>
					<button type="button" className="button small" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>Next<Icon name="right" /></button>
				</span>
			</nav>
		</>
	)
}
