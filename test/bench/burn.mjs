/** Work for a processor and nothing else: so many steps of the logistic map. The result keeps it from being left out. */
export function burn(steps) {
  let value = 0.3
  for (let k = 0; k < steps; k++) value = 3.9 * value * (1 - value)
  return value
}
