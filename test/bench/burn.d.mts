export declare function burn(steps: number): number
