export declare const root: string;
export declare function ensureInstalled(): Promise<void>;
export declare function ensureBuilt(): Promise<void>;
