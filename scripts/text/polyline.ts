/** A point of a picture: x and y. */
type Point = readonly [number, number]

/** The `points` of an SVG polyline, to a tenth; a point between two of the same height adds nothing and is left out. */
export function polylinePoints(points: readonly Point[]): string {
  const rounded = points.map(([x, y]): Point => [tenth(x), tenth(y)])
  const needed = rounded.filter(([, y], index) => y !== rounded[index - 1]?.[1] || y !== rounded[index + 1]?.[1])
  return needed.map(([x, y]) => `${x},${y}`).join(' ')
}

/** Rounded to a tenth: finer than a screen shows. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10
}
