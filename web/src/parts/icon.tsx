// Small drawings: icons of actions, shapes of states.

import type { Shape } from '../base/words'

const PATHS = {
	search: 'M7 12.2A5.2 5.2 0 1 0 7 1.800a5.2 5.2 0 0 0 0 10.400zM14.5 14.500l-3.8-3.8',
	plus: 'M8 2.500v11M2.5 8h11',
	close: 'M3.5 3.500l9 9M12.5 3.500l-9 9',
	more: 'M3 8h.01M8 8h.01M13 8h.01',
	menu: 'M2 4h12M2 8h12M2 12h12',
	pause: 'M5.5 3v10M10.5 3v10',
	play: 'M4.5 2.800l8 5.2-8 5.200z',
	edit: 'M10.8 2.800l2.4 2.4-8 8-3.2.800.8-3.200z',
	down: 'M8 2.500v8M4.5 7.500L8 11l3.5-3.500M2.5 13.500h11',
	copy: 'M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3',
	moon: 'M13.5 9.500A6 6 0 1 1 6.5 2.500a4.8 4.8 0 0 0 7 7z',
	sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.300M8 13.700V15M1 8h1.300M13.7 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
	warn: 'M8 1.800l6.7 12H1.300zM8 6v3.500M8 11.700h.01',
	info: 'M8 1.500a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 7.200v4M8 4.700h.01',
	check: 'M2.5 8.500l3.5 3.5 7.5-8',
	trash: 'M2.5 4h11M6 4V2.500h4V4M4 4l.700 9.500h6.600L12 4M6.7 7v4M9.3 7v4',
	left: 'M10 3L5 8l5 5',
	right: 'M6 3l5 5-5 5',
	phone: 'M4 1.800h2l1 3.2-1.5 1.200a9 9 0 0 0 4.3 4.300L11 9l3.2 1v2a2 2 0 0 1-2.2 2C6.6 13.5 2.5 9.4 2 4a2 2 0 0 1 2-2.200z',
	out: 'M6 2.500H3v11h3M9.5 5L13 8l-3.5 3M13 8H6.5',
	external: 'M6.5 3.500h-4v10h10v-4M9.5 2.500h4v4M13.5 2.500l-6 6',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
	return <svg className="icon-shape" viewBox="0 0 16 16" aria-hidden="true"><path d={PATHS[name]} strokeWidth={name === 'more' ? 2.6 : undefined} /></svg>
}

const SHAPES: Record<Shape, JSX.Element> = {
	dot: <circle cx="6" cy="6" r="5" fill="currentColor" />,
	ring: <circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.6" />,
	clock: <path d="M6 1.800a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.400zM6 3.800V6.200L7.7 7.3" fill="none" stroke="currentColor" strokeWidth="1.4" />,
	pause: <path d="M3.7 1.500v9M8.3 1.500v9" stroke="currentColor" strokeWidth="2.4" />,
	half: <><circle cx="6" cy="6" r="4.3" fill="none" stroke="currentColor" strokeWidth="1.4" /><path d="M6 1.700a4.3 4.3 0 0 1 0 8.600z" fill="currentColor" /></>,
	triangle: <path d="M6 .8l5.5 10H.5z" fill="currentColor" />,
	cross: <path d="M2.3 2.300l7.4 7.400M9.7 2.300L2.3 9.7" stroke="currentColor" strokeWidth="1.9" />,
	dash: <path d="M1.5 6h9" stroke="currentColor" strokeWidth="2.4" />,
	square: <rect x="1.5" y="1.5" width="9" height="9" rx="2" fill="currentColor" />,
}

export function ShapeMark({ shape }: { shape: Shape }) {
	return <svg viewBox="0 0 12 12" aria-hidden="true">{SHAPES[shape]}</svg>
}

export function Logo() {
	return (
		<svg viewBox="0 0 32 32" aria-hidden="true">
			<rect width="32" height="32" rx="8" fill="var(--accent)" />
			<g fill="none" stroke="var(--on-accent)" strokeWidth="2.6" strokeLinecap="round">
				<path d="M16 5.500A10.5 10.5 0 0 1 26.5 16M16 26.500A10.5 10.5 0 0 1 5.5 16" />
			</g>
			<circle cx="16" cy="16" r="4" fill="var(--on-accent)" />
		</svg>
	)
}
